/** Bearer tokens of the API: only their SHA-256 is kept. */
import { jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { bytea } from './bytea.ts';

export type Role = 'admin' | 'registrar' | 'approver' | 'auditor' | 'organisation-admin' | 'technical-contact';

export const apiTokens = pgTable('api_tokens', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  tokenHash: bytea('token_hash').notNull().unique(),
  roles: jsonb('roles').$type<Role[]>().notNull(),
  /** The authorities that the token reaches; null means all, present and future. */
  authorityIds: jsonb('authority_ids').$type<string[]>(),
  /** The organisations that a member acts for; null for whoever works for authorities. */
  organisationIds: jsonb('organisation_ids').$type<string[]>(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  /** The secret before the last rotation, as long as it is good beside the present one. */
  previousHash: bytea('previous_hash').unique(),
  previousExpiresAt: timestamp('previous_expires_at', { withTimezone: true }),
});
