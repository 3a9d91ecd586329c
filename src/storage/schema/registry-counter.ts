/** The one-row counter that numbers every change of the registry, without gaps. */
import { bigint, pgTable, smallint } from 'drizzle-orm/pg-core';

export const registryCounter = pgTable('registry_counter', {
  id: smallint('id').primaryKey(),
  seq: bigint('seq', { mode: 'number' }).notNull(),
});
