/** Gateways and servers that ask for admission, what they answer for, and what they are known to act on. */
import { bigint, boolean, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { apiResources } from './api-resources.ts';
import { authorities } from './authorities.ts';
import type { EntityMode } from './entities.ts';

export type CertificateHeaderForm = 'rfc9440' | 'nginx' | 'xfcc' | 'traefik' | 'caddy' | 'apache';
export type EnforcementPointState = 'active' | 'suspended' | 'removed';

export const enforcementPoints = pgTable('enforcement_points', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  name: text('name').notNull(),
  /** Whom it lets in: those enrolled for this mode and environment. */
  mode: text('mode').$type<EntityMode>().notNull(),
  environment: text('environment').notNull(),
  /** The API that is behind it; null: requests may name one. */
  apiId: uuid('api_id').references(() => apiResources.id),
  maxStalenessSeconds: integer('max_staleness_seconds').notNull(),
  isTokenRequired: boolean('is_token_required').notNull(),
  /** How it passes client certificates on to `/api/v1/admission/http`. */
  certificateHeader: text('certificate_header').$type<CertificateHeaderForm>().notNull(),
  /** SHA-256 of its token, base64url. With a client certificate as well, both are needed. */
  tokenDigest: text('token_digest'),
  /** `x5t#S256` of the certificate that it connects with; without a token, no other point has the same. */
  clientX5tS256: text('client_x5t_s256'),
  /** One in so many allows is logged; 0: none, 1: all. */
  allowSample: integer('allow_sample').notNull(),
  /** Where the canary knocks. */
  canaryUrl: text('canary_url'),
  state: text('state').$type<EnforcementPointState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

/** Which seq one was first known to act on, and when. Times are those of the database's clock. */
export const enforcementPointAcknowledgements = pgTable(
  'enforcement_point_acknowledgements',
  {
    enforcementPointId: uuid('enforcement_point_id')
      .notNull()
      .references(() => enforcementPoints.id),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    via: text('via').$type<'call' | 'stream'>().notNull(),
    acknowledgedAt: timestamp('acknowledged_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.enforcementPointId, table.seq] })],
);

/** When one was last heard of. */
export const enforcementPointSightings = pgTable('enforcement_point_sightings', {
  enforcementPointId: uuid('enforcement_point_id')
    .primaryKey()
    .references(() => enforcementPoints.id),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  seenAt: timestamp('seen_at', { withTimezone: true }).notNull(),
});
