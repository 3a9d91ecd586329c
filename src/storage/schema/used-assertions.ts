/** Client assertions and proofs of possession that were used, so that none is used again at any node. */
import { pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

export const usedAssertions = pgTable(
  'used_assertions',
  {
    /** SHA-256 of the client's Entity Identifier, or of what a proof is and the thumbprint of its key. */
    client: text('client').notNull(),
    /** SHA-256 of the audience and the `jti`. */
    jti: text('jti').notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.client, table.jti] })],
);
