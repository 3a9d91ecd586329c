/** What an organisation proved and accepted: control of domains, and terms. */
import { jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import type { ActorRecord } from './enrolments.ts';
import { organisations } from './organisations.ts';

/** A file answers for one host; a DNS record for the domain and all below it. */
export type DomainProofMethod = 'https' | 'dns';

export const organisationDomains = pgTable(
  'organisation_domains',
  {
    organisationId: uuid('organisation_id')
      .notNull()
      .references(() => organisations.id),
    /** As `URL.host` spells it, with a port where one is named. */
    domain: text('domain').notNull(),
    method: text('method').$type<DomainProofMethod>().notNull(),
    verifiedAt: timestamp('verified_at', { withTimezone: true }).notNull(),
    /** Where the challenge was found, and for which enrolment. */
    evidence: jsonb('evidence').$type<JsonObject>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.domain, table.method] })],
);

export const organisationTerms = pgTable(
  'organisation_terms',
  {
    organisationId: uuid('organisation_id')
      .notNull()
      .references(() => organisations.id),
    version: text('version').notNull(),
    /** The person who accepted them. */
    acceptedBy: text('accepted_by').notNull(),
    acceptedAt: timestamp('accepted_at', { withTimezone: true }).notNull(),
    recordedBy: jsonb('recorded_by').$type<ActorRecord>().notNull(),
    /** When it was taken back; null: it counts. */
    withdrawnAt: timestamp('withdrawn_at', { withTimezone: true }),
    withdrawnBy: jsonb('withdrawn_by').$type<ActorRecord>(),
    withdrawalReason: text('withdrawal_reason'),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.version] })],
);
