/** The Trust Anchors and Intermediates that this deployment operates. */
import { boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import type { ContactType } from './contacts.ts';
import type { EnrolmentFlowStep } from './enrolment-flow.ts';
import type { TrustListPurpose } from './trust-list-entries.ts';

/** Whom a Trust Mark type belongs to, with the keys that sign delegations. */
export interface TrustMarkOwnerSetting {
  sub: string;
  jwks: { keys: JsonObject[] };
}

/** Whether callers of an endpoint may prove who they are (OIDFED §8.8), or must. */
export type EndpointAuthentication = 'off' | 'optional' | 'required';

/** By endpoint; those not named have their default. */
export type EndpointAuthenticationSetting = Record<string, EndpointAuthentication>;

export const authorities = pgTable('authorities', {
  id: uuid('id').primaryKey(),
  entityIdentifier: text('entity_identifier').notNull().unique(),
  /** Host and path without trailing slash: two identifiers that share a well-known URL cannot both be served. */
  location: text('location').notNull().unique(),
  /** `organization_name` of the federation_entity metadata. */
  name: text('name').notNull(),
  authorityHints: jsonb('authority_hints').$type<string[]>().notNull(),
  /** Further informational parameters of the federation_entity metadata (OIDFED §5.2.2). */
  metadata: jsonb('metadata').$type<JsonObject>().notNull(),
  /** Metadata policy by Entity Type that goes into every Subordinate Statement. */
  defaultMetadataPolicy: jsonb('default_metadata_policy').$type<JsonObject>().notNull(),
  /** Constraints of every Subordinate Statement whose entity has none of its own. */
  defaultConstraints: jsonb('default_constraints').$type<JsonObject>(),
  configurationLifetimeSeconds: integer('configuration_lifetime_seconds').notNull(),
  statementLifetimeSeconds: integer('statement_lifetime_seconds').notNull(),
  resolveLifetimeSeconds: integer('resolve_lifetime_seconds').notNull(),
  /** How long a new key is published before it signs; null: as announceSecondsOf says. */
  keyAnnounceSeconds: integer('key_announce_seconds'),
  /** How long a key signs before the next one takes its place; null: by hand only. */
  keyRollIntervalSeconds: integer('key_roll_interval_seconds'),
  /** Whether an announced key is kept ready at all times, for an emergency. */
  isStandbyKeyKept: boolean('is_standby_key_kept').notNull().default(false),
  /** What it lists as a Trust Anchor: issuers by Trust Mark type, and owners with their keys (OIDFED §3.1.2). */
  trustMarkIssuers: jsonb('trust_mark_issuers').$type<Record<string, string[]>>().notNull().default({}),
  trustMarkOwners: jsonb('trust_mark_owners').$type<Record<string, TrustMarkOwnerSetting>>().notNull().default({}),
  /** What becomes of keys that a subordinate's configuration proposes: held for a registrar, or registered. */
  keyProposals: text('key_proposals').$type<'hold' | 'accept'>().notNull().default('hold'),
  /** Which endpoints ask their callers to prove who they are. */
  endpointAuthentication: jsonb('endpoint_authentication').$type<EndpointAuthenticationSetting>().notNull().default({}),
  /** Contacts without which none of its organisations becomes active. */
  requiredContactTypes: jsonb('required_contact_types').$type<ContactType[]>().notNull().default([]),
  /** How long a contact counts as right after it was confirmed, or added; null: for good. */
  contactConfirmationDays: integer('contact_confirmation_days'),
  /** From a reminder until what was not confirmed counts as lapsed, and again until onLapse acts. */
  lapseGraceDays: integer('lapse_grace_days').notNull().default(30),
  /** What becomes of an active member whose contacts or certification lapsed. */
  onLapse: text('on_lapse').$type<'none' | 'suspend'>().notNull().default('none'),
  /** What enrolments go through; null: the usual flow, and registrars may do without. */
  enrolmentFlow: jsonb('enrolment_flow').$type<EnrolmentFlowStep[]>(),
  /** Whether whoever added an entity without an enrolment may approve it, too. */
  fourEyes: text('four_eyes').$type<'off' | 'on'>().notNull().default('off'),
  /** For these it believes only certificates below its trust list; otherwise whatever is registered counts. */
  listedPurposes: jsonb('listed_purposes').$type<TrustListPurpose[]>().notNull().default([]),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
