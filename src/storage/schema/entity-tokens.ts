/** Access tokens of entities: short-lived, got by an assertion that a Federation Entity Key signed; only their SHA-256 is kept. */
import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { bytea } from './bytea.ts';
import { entities } from './entities.ts';

export const entityTokens = pgTable('entity_tokens', {
  tokenHash: bytea('token_hash').primaryKey(),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  /** The key that signed the assertion; when it goes, the token goes. */
  kid: text('kid').notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
});
