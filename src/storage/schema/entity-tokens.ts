/** Access tokens of entities: short-lived, got by a signed assertion or a client certificate; only their SHA-256 is kept. */
import { pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { bytea } from './bytea.ts';
import { entities } from './entities.ts';

export const entityTokens = pgTable('entity_tokens', {
  tokenHash: bytea('token_hash').primaryKey(),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  /** The Federation Entity Key that signed the assertion; when it goes, the token goes. Null if there was none. */
  kid: text('kid'),
  /** `x5t#S256` of the client certificate that it was got with: nobody uses it with another one. Null if there was none. */
  x5tS256: text('x5t_s256'),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
});
