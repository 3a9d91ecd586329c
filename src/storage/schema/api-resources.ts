/** API resources: a version of a family of APIs that an authorization server protects. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { authorizationServers, type RecordedOfferState } from './authorization-servers.ts';

export type CertificationStatus = 'awaiting' | 'certified' | 'self_certified' | 'deprecated' | 'rejected';

export const apiResources = pgTable('api_resources', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  authorizationServerId: uuid('authorization_server_id')
    .notNull()
    .references(() => authorizationServers.id),
  /** What the APIs of all its versions are called, such as `payments`. */
  family: text('family').notNull(),
  /** Of the API, by Semantic Versioning; `version` is that of the record. */
  apiVersion: text('api_version').notNull(),
  endpoints: jsonb('endpoints').$type<string[]>().notNull(),
  /** Roles by their id, of which an application needs one to be admitted; empty: none. */
  requiredRoles: jsonb('required_roles').$type<string[]>().notNull().default([]),
  /** What access tokens must be meant for (`aud`); null: any audience of their issuer. */
  audience: text('audience'),
  certificationStatus: text('certification_status').$type<CertificationStatus>().notNull(),
  certificationUri: text('certification_uri'),
  certificationFrom: timestamp('certification_from', { withTimezone: true }),
  certificationTo: timestamp('certification_to', { withTimezone: true }),
  deprecatedAt: timestamp('deprecated_at', { withTimezone: true }),
  retiresAt: timestamp('retires_at', { withTimezone: true }),
  supersededBy: uuid('superseded_by'),
  /** What of its dates stands in the audit; nobody else goes by it. */
  recordedState: text('recorded_state').$type<RecordedOfferState>().notNull().default('active'),
  recordedCertificationEnd: timestamp('recorded_certification_end', { withTimezone: true }),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  removedAt: timestamp('removed_at', { withTimezone: true }),
});
