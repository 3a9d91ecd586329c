/** Entities enrolled under an authority: applications and subordinate Intermediates, with their registered keys. */
import { boolean, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { organisations, type ParticipantState } from './organisations.ts';

/** One automatic check of an enrolment: what was looked at and how it came out. */
export interface EnrolmentCheck {
  check: string;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Stable reason of a failure. */
  reason?: string;
  /** What a person reads: what was found, and for a failure what to mend. */
  detail: string;
  at: string;
}

export type EntityMode = 'live' | 'test';

export const entities = pgTable('entities', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  organisationId: uuid('organisation_id')
    .notNull()
    .references(() => organisations.id),
  /** The terminal record of the same Entity Identifier that this one follows. */
  previousId: uuid('previous_id'),
  entityIdentifier: text('entity_identifier').notNull(),
  /** Short, for people. */
  name: text('name'),
  mode: text('mode').$type<EntityMode>().notNull().default('live'),
  /** Where it runs, such as `production` or `sandbox`. */
  environment: text('environment').notNull().default('production'),
  /** The organisation that it acts for; null: its own. */
  onBehalfOf: uuid('on_behalf_of'),
  enrolment: text('enrolment').$type<'published' | 'handed_over' | 'hosted'>().notNull(),
  registeredEntityTypes: jsonb('registered_entity_types').$type<string[]>().notNull(),
  registeredIntermediate: boolean('registered_intermediate').notNull(),
  /** From the last verified Entity Configuration; null while none was ever obtained. */
  verifiedEntityTypes: jsonb('verified_entity_types').$type<string[]>(),
  verifiedIntermediate: boolean('verified_intermediate'),
  /** `metadata` of the Subordinate Statement (OIDFED §3.1.1). */
  metadata: jsonb('metadata').$type<JsonObject>().notNull(),
  metadataPolicy: jsonb('metadata_policy').$type<JsonObject>().notNull(),
  constraints: jsonb('constraints').$type<JsonObject>(),
  /** Extension claims of the Subordinate Statement, and those of them that are critical (OIDFED §13.4). */
  additionalClaims: jsonb('additional_claims').$type<JsonObject>().notNull(),
  crit: jsonb('crit').$type<string[]>().notNull(),
  statementLifetimeSeconds: integer('statement_lifetime_seconds'),
  checks: jsonb('checks').$type<EnrolmentCheck[]>().notNull(),
  /** What the checks saw: digest of the configuration's lasting claims, its times, where it was fetched. */
  evidence: jsonb('evidence').$type<JsonObject>().notNull(),
  state: text('state').$type<ParticipantState>().notNull(),
  stateReason: text('state_reason'),
  /** See REASON_CODES; null for what was decided before there were any. */
  stateReasonCode: text('state_reason_code'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  /** When a suspension ends by itself; null: when somebody ends it. */
  suspendedUntil: timestamp('suspended_until', { withTimezone: true }),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  /** Id of the actor who added it; null where that was not recorded. */
  addedBy: text('added_by'),
  /** When it was approved; null before. */
  registeredAt: timestamp('registered_at', { withTimezone: true }),
  /** When anything was last recorded of it, and so what its superior says about it may have changed. */
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
});

export type KeySource = 'enrolment' | 'registrar' | 'push' | 'configuration';
export type KeyRemoval = 'enrolment' | 'registrar' | 'push' | 'compromised';

export const entityKeys = pgTable(
  'entity_keys',
  {
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id),
    kid: text('kid').notNull(),
    /** Order in the published JWK Set. */
    position: integer('position').notNull(),
    publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }),
    /** A removed key stays recorded, so that its kid never stands for another. */
    removedAt: timestamp('removed_at', { withTimezone: true }),
    addedAt: timestamp('added_at', { withTimezone: true }).notNull(),
    /** How it came to be registered. */
    source: text('source').$type<KeySource>().notNull().default('enrolment'),
    /** Who or what removed it; `enrolment` while the entity was pending. */
    removal: text('removal').$type<KeyRemoval>(),
    /** Somebody else may have it: it authorises nothing any more. */
    compromisedAt: timestamp('compromised_at', { withTimezone: true }),
    compromiseReason: text('compromise_reason'),
  },
  (table) => [primaryKey({ columns: [table.entityId, table.kid] })],
);
