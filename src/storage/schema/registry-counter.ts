/** The one-row counter that numbers every change of the registry, without gaps, and says how the audit's chain ends. */
import { bigint, pgTable, smallint, text } from 'drizzle-orm/pg-core';

export const registryCounter = pgTable('registry_counter', {
  id: smallint('id').primaryKey(),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  /** Stands for the hash before the first row of the audit; of this deployment alone. */
  auditGenesis: text('audit_genesis').notNull(),
  /** Hash of the last row of the audit; null while rows from before the chain are not chained. */
  auditHash: text('audit_hash'),
  /** Number of rows of the audit. */
  auditRows: bigint('audit_rows', { mode: 'number' }).notNull(),
});
