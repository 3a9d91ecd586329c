/** Entities as records: an organisation's application or Intermediate under one of our authorities. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { EnrolmentCheck, entities } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import type { GivenRole } from '../roles/given-roles.ts';
import type { RaisedFinding } from './keys/findings.ts';

export type EntityRow = typeof entities.$inferSelect;

/** A registered Federation Entity Key that was not removed. */
export interface RegisteredKey {
  jwk: Jwk;
  expiresAt: Date | null;
}

export interface Entity extends EntityRow {
  keys: RegisteredKey[];
  /** Given to it, in the order of their names; the clock says which of them count. */
  roles: GivenRole[];
  organisationState: ParticipantState;
  /** Of the organisation that it acts for; null when it acts for none but its own. */
  principalState: ParticipantState | null;
  /** Whether the settings that the checks judged by have changed since. */
  checksOutdated: boolean;
  /** What a person should look at, in the order in which it was noticed. */
  findings: RaisedFinding[];
}

/** An entity as a list shows it: what the checks saw is large and stays behind. */
export type ListedEntity = Omit<Entity, 'evidence' | 'findings'>;

/** What the superior says about a subordinate; each part goes into its Subordinate Statement. */
export interface SubordinateSettings {
  metadata: JsonObject;
  metadataPolicy: JsonObject;
  constraints: JsonObject | null;
  additionalClaims: JsonObject;
  crit: string[];
  /** null: the authority's default. */
  statementLifetimeSeconds: number | null;
}

/** What automatic checks found out about an entity. */
export interface CheckedEvidence {
  checks: EnrolmentCheck[];
  /** What was seen; `digest` tells whether it is still the same, `settingsDigest` by which settings it was judged. */
  evidence: JsonObject;
  /** From the verified Entity Configuration; null when none could be verified. */
  verifiedEntityTypes: string[] | null;
  verifiedIntermediate: boolean | null;
}

export function entityTypes(entity: Pick<EntityRow, 'verifiedEntityTypes' | 'registeredEntityTypes'>): string[] {
  return entity.verifiedEntityTypes ?? entity.registeredEntityTypes;
}

export function isIntermediate(entity: Pick<EntityRow, 'verifiedIntermediate' | 'registeredIntermediate'>): boolean {
  return entity.verifiedIntermediate ?? entity.registeredIntermediate;
}

/**
 * The record as the audit keeps it. Of the evidence only what identifies it: its claims may be large, and stand in the
 * audit row of the check that found them.
 */
export function entitySnapshot(entity: EntityRow, keys?: readonly RegisteredKey[]): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, stateChangedAt: _____, ...rest } = entity;
  const { registeredAt: _______, updatedAt: ________, suspendedUntil, ...fields } = rest;
  const { claims: ______, ...evidence } = entity.evidence;
  const snapshot: JsonObject = {
    ...fields,
    suspendedUntil: suspendedUntil?.toISOString() ?? null,
    checks: entity.checks.map((check) => ({ ...check })),
    evidence,
  };
  if (keys !== undefined) snapshot['keys'] = keys.map(({ jwk }) => jwk as JsonObject);
  return snapshot;
}

/** The same with everything that the checks saw. */
export function entitySnapshotWithEvidence(entity: EntityRow, keys?: readonly RegisteredKey[]): JsonObject {
  return { ...entitySnapshot(entity, keys), evidence: entity.evidence };
}
