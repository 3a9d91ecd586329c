/** What is judged of an entity that publishes nothing: the keys that it proved, and what was handed over of the rest. */
import { createHash } from 'node:crypto';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { canonicalJson, isJsonObject, type JsonObject } from '../federation/json.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../federation/lint/published-key.ts';
import type { Authority } from '../registry/authorities/authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { settingsDigest } from '../registry/entities/judging-settings.ts';
import { liveKeysOf } from '../registry/entities/keys/keys-changeable.ts';
import { CheckRun } from './check-run.ts';
import { type CheckedConfiguration, INTERMEDIATE_ENDPOINT, requireCompliance } from './configuration-checks.ts';

/** Made when the keys were handed over; a challenge is not answered twice. */
const PROOFS: readonly string[] = ['key_proof', 'out_of_band'];

/**
 * Its types are those that were named, with the metadata that its superior says about it; that is held against the policy
 * and constraints as the metadata of a configuration is.
 */
export async function checkHandedOver(
  context: ChangeContext,
  authority: Authority,
  entity: Entity,
): Promise<CheckedConfiguration> {
  const now = Math.floor(context.now.getTime() / 1000);
  const run = new CheckRun(now);
  const jwks = { keys: liveKeysOf(entity, context.now) };
  const { entityTypes } = handedOver(entity);
  run.checks.push(...entity.checks.filter(({ check }) => PROOFS.includes(check)));
  await run.attempt(
    'keys',
    () => requireFitKeys(jwks, run.checks.length === PROOFS.length),
    () => `Federation Entity Keys ${jwks.keys.map(({ kid }) => kid).join(', ')}`,
  );
  await run.attempt(
    'entity_types',
    () => requireTypes(entityTypes),
    () => `is to play ${entityTypes.join(', ')}`,
  );
  const declared = Object.fromEntries(entityTypes.map((type) => [type, {}]));
  const entityIdentifier = entity.entityIdentifier as EntityIdentifier;
  const subject = { authority, settings: entity, roles: entity.roles, entityIdentifier, entityTypes };
  await run.attempt(
    'metadata_policy',
    () => requireCompliance(declared, subject, { ...context, now }),
    (metadata) => `resolves to metadata for ${Object.keys(metadata).join(', ') || 'no Entity Type'}`,
  );
  const seen = canonicalJson({ keys: jwks.keys as JsonObject[], entityTypes, metadata: entity.metadata });
  return {
    checks: run.checks,
    evidence: {
      ...entity.evidence,
      digest: createHash('sha256').update(seen).digest('base64url'),
      settingsDigest: settingsDigest(entity, authority, entity.roles),
    },
    verifiedEntityTypes: null,
    verifiedIntermediate: null,
    jwks,
  };
}

/** What it is to play, as far as was handed over and its superior says. */
export function handedOver({ registeredEntityTypes, metadata }: Pick<Entity, 'registeredEntityTypes' | 'metadata'>): {
  entityTypes: string[];
  isIntermediate: boolean;
} {
  const superior = metadata['federation_entity'];
  return {
    entityTypes: [...new Set([...registeredEntityTypes, ...Object.keys(metadata)])],
    isIntermediate: isJsonObject(superior) && Object.hasOwn(superior, INTERMEDIATE_ENDPOINT),
  };
}

/** @throws FederationError key_unsuitable */
function requireFitKeys({ keys }: JwkSet, isProven: boolean): void {
  const complaints = keys.map(publishedKeyComplaint).filter((text) => text !== undefined);
  if (!isProven) complaints.push('nobody proved them; enrol it anew');
  if (keys.length === 0) complaints.push('no key counts any more; enrol it anew');
  if (complaints.length > 0) throw new FederationError('key_unsuitable', complaints.join('; '), '/jwks');
}

/** @throws FederationError metadata_invalid */
function requireTypes(entityTypes: readonly string[]): void {
  if (entityTypes.length > 0) return;
  const message = 'names no Entity Type; let the record have metadata for one, or hand over anew with entityTypes';
  throw new FederationError('metadata_invalid', message, '/metadata');
}
