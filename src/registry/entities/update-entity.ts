/** Changes what is recorded of a subordinate and what its superior says about it, and which of its keys are registered. */
import { eq } from 'drizzle-orm';
import { isJsonObject, jsonEquals } from '../../federation/json.ts';
import { checkJwkSet, isSamePublicKey, type Jwk, type JwkSet } from '../../federation/jwk-set.ts';
import { entities } from '../../storage/schema/entities.ts';
import { authorise } from '../actor.ts';
import { raiseLongestLifetime } from '../authorities/keys/longest-lifetime.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { inputJwkSet } from '../claims-input.ts';
import { requireNoOpenCredentials } from '../credentials/one-environment.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { givenRolesOf } from '../roles/given-roles.ts';
import { type Entity, type EntityRow, entitySnapshot, type RegisteredKey, type SubordinateSettings } from './entity.ts';
import { type EntityAttributes, isSamePlace, requireRepresentable, requireSamePlace } from './entity-attributes.ts';
import { settleProposals } from './keys/key-proposals.ts';
import { outdatePushed } from './keys/key-statements.ts';
import { requireKeyLeft, requireKeysChangeable } from './keys/keys-changeable.ts';
import { lockOpenEntity } from './lock-entity.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';
import { registerKeys } from './register-keys.ts';
import { checkPolicyAgainstDefault, inputSubordinateSettings } from './subordinate-settings.ts';

export interface EntityChanges extends Partial<SubordinateSettings & EntityAttributes> {
  /** Replaces the registered keys: those of the same kid stay, missing ones are removed, new ones are added. */
  jwks?: JwkSet;
}

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, policy_conflict, key_not_published,
 *   version_mismatch, illegal_transition when the record is closed, entity_not_active, last_key, wrong_environment
 */
export async function updateEntity(
  context: ChangeContext,
  entityId: string,
  changes: EntityChanges,
  expectedVersion?: number,
): Promise<Entity> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { jwks, name, mode, environment, onBehalfOf, ...settings } = changes;
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    requireVersion(before, expectedVersion);
    const snapshotBefore = entitySnapshot(before, await registeredKeysOf(tx, entityId));
    const valid = inputSubordinateSettings(withChanges(before, settings), before.entityIdentifier, context);
    const described = withChanges(before, { name, mode, environment, onBehalfOf });
    requireSamePlace(before, described);
    if (!isSamePlace(before, described)) await requireNoOpenCredentials(tx, entityId, context.now);
    if (described.onBehalfOf !== null && described.onBehalfOf !== before.onBehalfOf) {
      await requireRepresentable(tx, before, described.onBehalfOf);
    }
    const after: EntityRow = { ...described, ...valid, version: before.version + 1 };
    const roles = await givenRolesOf(tx, entityId);
    await checkPolicyAgainstDefault(tx, authorityId, after, before.entityIdentifier, roles);
    if (jwks !== undefined) {
      const registered = await registeredKeysOf(tx, entityId);
      const wanted = inputKeys(jwks, before, registered);
      await requireKeysChangeable(tx, before);
      requireKeyLeft(before, wanted.keys, context.now);
      await registerKeys(tx, before, wanted, context.now, 'registrar');
      await settleProposals(tx, entityId, context.now);
      await outdatePushed(tx, entityId, context.now);
    }
    const snapshotAfter = entitySnapshot(after, await registeredKeysOf(tx, entityId));
    if (jsonEquals(snapshotBefore, snapshotAfter)) return;
    await tx.update(entities).set(after).where(eq(entities.id, entityId));
    const { statementLifetimeSeconds } = after;
    if (statementLifetimeSeconds !== null) await raiseLongestLifetime(tx, authorityId, statementLifetimeSeconds);
    record({
      action: 'entity.update',
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: snapshotBefore,
      after: snapshotAfter,
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

/**
 * Nothing may take the place of what was checked: until approval the keys are those of the configuration; afterwards a
 * new key is one that the last verified configuration shows. A key that was handed over counts only with the proof that
 * enrolment asks for. To drop keys, or to let them expire, needs no proof.
 * @throws RegistryError validation_failed, key_not_published
 */
function inputKeys(jwks: JwkSet, entity: EntityRow, registered: readonly RegisteredKey[]): JwkSet {
  if (entity.state === 'pending' && entity.enrolment !== 'handed_over') {
    throw invalidField('/jwks', 'are those of its Entity Configuration until it is approved; run the checks again');
  }
  const valid = inputJwkSet(jwks, '/jwks');
  const proven = registered.map(({ jwk }) => jwk).concat(publishedKeys(entity, registered));
  const unproven = valid.keys.findIndex(
    (key) => !proven.some((one) => one.kid === key.kid && isSamePublicKey(one, key)),
  );
  if (unproven === -1) return valid;
  const pointer = `/jwks/keys/${unproven}`;
  if (entity.enrolment === 'handed_over') {
    const detail = 'was not proven; keys that are handed over are added by enrolling the entity anew, with a challenge';
    throw invalidField(pointer, detail);
  }
  const detail =
    'is not in its Entity Configuration as last verified; have the entity publish it there, run the checks, try again';
  throw new RegistryError('key_not_published', `${pointer} ${detail}`, { errors: [{ pointer, detail }] });
}

/**
 * Keys of the Entity Configuration that the last checks verified; none when they could not verify one, or when the key
 * that signed it was removed. One that has expired since signed it while it counted.
 */
function publishedKeys({ enrolment, evidence }: EntityRow, registered: readonly RegisteredKey[]): Jwk[] {
  const { claims, kid } = evidence;
  if (enrolment === 'handed_over' || !isJsonObject(claims)) return [];
  if (!registered.some(({ jwk }) => jwk.kid === kid)) return [];
  return checkJwkSet(claims['jwks']).keys;
}
