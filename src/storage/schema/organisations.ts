/** Organisations: who is responsible for entities, and how to reach them. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export type ParticipantState = 'pending' | 'active' | 'rejected' | 'suspended' | 'withdrawn' | 'revoked';

export interface Contact {
  type: 'business' | 'technical' | 'security' | 'incident' | 'billing';
  name?: string;
  email: string;
}

export const organisations = pgTable('organisations', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  name: text('name').notNull(),
  contacts: jsonb('contacts').$type<Contact[]>().notNull(),
  state: text('state').$type<ParticipantState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
