/** Organisations: who is responsible for entities, as the registers of their countries know them. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export type ParticipantState = 'pending' | 'active' | 'rejected' | 'suspended' | 'withdrawn' | 'revoked';

export const organisations = pgTable('organisations', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  legalName: text('legal_name').notNull(),
  /** Number, register and country are there together or not at all; see inputRegistration for their form. */
  registrationNumber: text('registration_number'),
  registrationRegister: text('registration_register'),
  registrationCountry: text('registration_country'),
  /** The closed record that this one follows. */
  previousId: uuid('previous_id'),
  /** The organisation that this one belongs to, of the same authority. */
  parentId: uuid('parent_id'),
  tags: jsonb('tags').$type<string[]>().notNull().default([]),
  state: text('state').$type<ParticipantState>().notNull(),
  stateReason: text('state_reason'),
  /** See REASON_CODES; null for what was decided before there were any. */
  stateReasonCode: text('state_reason_code'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  /** When a suspension ends by itself; null: when somebody ends it. */
  suspendedUntil: timestamp('suspended_until', { withTimezone: true }),
  /** Grows with the contacts, too: whoever approves it has looked at them. */
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
