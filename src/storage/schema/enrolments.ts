/** Enrolments: what was asked for, what each step of the flow found, and who approved it. */
import { integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import type { EnrolmentFlowStep, EnrolmentStepName } from './enrolment-flow.ts';
import { type EntityMode, entities } from './entities.ts';
import { organisations } from './organisations.ts';

export type EnrolmentState =
  | 'draft'
  | 'submitted'
  | 'checks_failed'
  | 'pending_approval'
  | 'approved'
  | 'rejected'
  | 'cancelled'
  | 'lapsed';

export type EnrolmentVia = 'token' | 'signed_request' | 'public';

export type StepOutcome = 'passed' | 'failed' | 'skipped' | 'waiting';

/** Who is behind a public request, in its own words. */
export interface Applicant {
  legalName: string;
  email: string;
  message: string | null;
}

/** What the enrolment asks for. */
export interface EnrolmentRequest {
  entityTypes: string[];
  name: string | null;
  mode: EntityMode;
  environment: string | null;
  onBehalfOf: string | null;
  /** Ids of the roles that the entity is to hold. */
  roles: string[];
  /** The domain to prove, where it is not the host itself. */
  domain: string | null;
  /** The terms that whoever asks accepted with the request. */
  terms: { version: string; acceptedBy: string } | null;
  applicant: Applicant | null;
  /** What the superior is to say about the entity; settings of a registrar. */
  settings: {
    metadata: JsonObject;
    metadataPolicy: JsonObject;
    constraints: JsonObject | null;
    additionalClaims: JsonObject;
    crit: string[];
    statementLifetimeSeconds: number | null;
  };
}

/** Somebody as the audit names them. */
export interface ActorRecord {
  kind: string;
  id: string;
  name: string;
}

export const enrolments = pgTable('enrolments', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  /** null while a registrar has not said whose the entity is. */
  organisationId: uuid('organisation_id').references(() => organisations.id),
  entityIdentifier: text('entity_identifier').notNull(),
  /** The pending record, made when all checks passed for the first time; null before. */
  entityId: uuid('entity_id').references(() => entities.id),
  request: jsonb('request').$type<EnrolmentRequest>().notNull(),
  /** The flow of the authority when it was submitted. */
  flow: jsonb('flow').$type<EnrolmentFlowStep[]>().notNull(),
  /** What proves control of the domain: published there, in a file or in DNS. */
  challenge: text('challenge').notNull(),
  state: text('state').$type<EnrolmentState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  submittedVia: text('submitted_via').$type<EnrolmentVia>().notNull(),
  submittedBy: jsonb('submitted_by').$type<ActorRecord>().notNull(),
  /** Who last changed what is asked, or said whose the entity is; null: nobody did. */
  changedBy: jsonb('changed_by').$type<ActorRecord>(),
  /** The network that a request without a token came from, while nobody took it up; null: none, or not known. */
  askedFrom: text('asked_from'),
  /** From then on it counts no more unless somebody took it up; null: it stays. */
  lapsesAt: timestamp('lapses_at', { withTimezone: true }),
  /** When its steps are run by themselves; null: only when somebody asks. */
  nextRunAt: timestamp('next_run_at', { withTimezone: true }),
  /** Grows with whatever approvers look at. */
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const enrolmentSteps = pgTable(
  'enrolment_steps',
  {
    enrolmentId: uuid('enrolment_id')
      .notNull()
      .references(() => enrolments.id, { onDelete: 'cascade' }),
    step: text('step').$type<EnrolmentStepName>().notNull(),
    position: integer('position').notNull(),
    outcome: text('outcome').$type<StepOutcome>().notNull(),
    /** Stable reason of a failure. */
    reason: text('reason'),
    /** What a person reads: what was found, and for a failure what to mend. */
    detail: text('detail').notNull(),
    /** What the step rests on; equal evidence is the same evidence. */
    evidence: jsonb('evidence').$type<JsonObject>().notNull(),
    wouldChange: jsonb('would_change').$type<JsonObject>().notNull(),
    attempts: integer('attempts').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.enrolmentId, table.step] })],
);

export const enrolmentApprovals = pgTable(
  'enrolment_approvals',
  {
    enrolmentId: uuid('enrolment_id')
      .notNull()
      .references(() => enrolments.id, { onDelete: 'cascade' }),
    /** The version that was looked at. */
    version: integer('version').notNull(),
    actorId: text('actor_id').notNull(),
    actorName: text('actor_name').notNull(),
    reason: text('reason').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.enrolmentId, table.version, table.actorId] })],
);
