/** Entities as records: an organisation's application or Intermediate under one of our authorities. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { EnrolmentCheck, entities } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';

export type EntityRow = typeof entities.$inferSelect;

/** A registered Federation Entity Key that was not removed. */
export interface RegisteredKey {
  jwk: Jwk;
  expiresAt: Date | null;
}

export interface Entity extends EntityRow {
  keys: RegisteredKey[];
  organisationState: ParticipantState;
}

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
  /** What was seen; `digest` tells whether it is still the same. */
  evidence: JsonObject;
  /** From the verified Entity Configuration; null when none could be verified. */
  verifiedEntityTypes: string[] | null;
  verifiedIntermediate: boolean | null;
}

export function entityTypes(entity: EntityRow): string[] {
  return entity.verifiedEntityTypes ?? entity.registeredEntityTypes;
}

export function isIntermediate(entity: EntityRow): boolean {
  return entity.verifiedIntermediate ?? entity.registeredIntermediate;
}

export function entitySnapshot(entity: EntityRow, keys?: readonly RegisteredKey[]): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, stateChangedAt: _____, checks, ...fields } = entity;
  const snapshot: JsonObject = { ...fields, checks: checks.map((check) => ({ ...check })) };
  if (keys !== undefined) snapshot['keys'] = keys.map(({ jwk }) => jwk as JsonObject);
  return snapshot;
}
