/** Roles of organisations and, under each, those of their entities. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { entities } from './entities.ts';
import { organisations } from './organisations.ts';
import { roles } from './roles.ts';

export type RecordedRoleState = 'upcoming' | 'active' | 'ended';

export const roleAssignments = pgTable('role_assignments', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  organisationId: uuid('organisation_id')
    .notNull()
    .references(() => organisations.id),
  roleId: uuid('role_id')
    .notNull()
    .references(() => roles.id),
  /** How the regulator that gave the organisation this role knows it. */
  registrationId: text('registration_id'),
  /** Countries where the role counts, ISO 3166-1 alpha-2; none: wherever the authority's word does. */
  jurisdictions: jsonb('jurisdictions').$type<string[]>().notNull(),
  /** Id of the actor: where two people are asked for, somebody else gives it to entities. */
  assignedBy: text('assigned_by').notNull(),
  /** Held from then on, and until then; null: without beginning, without end. The clock alone decides. */
  validFrom: timestamp('valid_from', { withTimezone: true }),
  validTo: timestamp('valid_to', { withTimezone: true }),
  /** What of the dates stands in the audit already. */
  recordedState: text('recorded_state').$type<RecordedRoleState>().notNull().default('active'),
  state: text('state').$type<'active' | 'removed'>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const entityRoleAssignments = pgTable('entity_role_assignments', {
  id: uuid('id').primaryKey(),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  /** That of its organisation, without which it has none. */
  roleAssignmentId: uuid('role_assignment_id')
    .notNull()
    .references(() => roleAssignments.id),
  /** `locked`: the organisation lost the role. */
  state: text('state').$type<'active' | 'locked' | 'removed'>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
