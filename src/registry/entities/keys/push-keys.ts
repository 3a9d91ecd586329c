/** Makes the registered keys of a subordinate those of a set that it signed with one of them. @see OIDFED §11.2 */
import { and, eq } from 'drizzle-orm';
import { FederationError } from '../../../federation/errors.ts';
import { type JsonValue, jsonEquals } from '../../../federation/json.ts';
import type { JwkSet } from '../../../federation/jwk-set.ts';
import type { PushedKeySet } from '../../../federation/pushed-key-set.ts';
import { verifySignature } from '../../../federation/signature.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { isStorable } from '../../storable.ts';
import { type EntityRow, entitySnapshot, type RegisteredKey } from '../entity.ts';
import { registeredKeysOf } from '../read-entity.ts';
import { readSubordinate } from '../read-subordinate.ts';
import { registerKeys } from '../register-keys.ts';
import { keyHistory, registrationComplaints } from './key-history.ts';
import { settleProposals } from './key-proposals.ts';
import { acceptedStatements, recordAccepted } from './key-statements.ts';
import { activeSince, isLive, liveKeysOf } from './keys-changeable.ts';
import { hastenRefresh } from './refreshes.ts';

export interface PushedKeys {
  /** kids that are registered now, in the order of the set, and how that differs from before. */
  registered: string[];
  added: string[];
  removed: string[];
}

/**
 * Adds and removes keys in one step: the set replaces what was registered. Of an entity that is not active nobody learns
 * that it is known here. A set that says what is so already only outdates the ones before it.
 * @param admit may refuse what is signed and later than the set before: only whoever has a key can send any such
 * @throws RegistryError not_found, role_missing
 * @throws FederationError key_set_not_authorised, key_set_not_newer, key_set_invalid
 */
export async function pushKeys(
  context: ChangeContext,
  authorityId: string,
  pushed: PushedKeySet,
  admit: () => void = () => {},
): Promise<PushedKeys> {
  authorise(context.actor, ['registrar'], authorityId);
  // Strangers are turned away before they hold up anything.
  const known = await readSubordinate(context.db, authorityId, pushed.subject);
  if (known === undefined) throw notAuthorised();
  await requireSignedBy(pushed, known.keys, context.now);
  await requireNewer(context.db, known.entity, known.entity.stateChangedAt, pushed);
  admit();
  return await changeRegistry(context, async (tx, record) => {
    const { before, since } = await lockActive(tx, authorityId, pushed);
    const keys = await registeredKeysOf(tx, before.id);
    await requireSignedBy(pushed, keys, context.now);
    await requireNewer(tx, before, since, pushed);
    await recordAccepted(tx, before.id, { pushedIat: pushed.iat });
    const present = keys.map(({ jwk }) => jwk);
    if (jsonEquals(present as JsonValue, pushed.jwks.keys as JsonValue)) return differenceOf(keys, keys);
    await requireRegistrable(tx, before, pushed.jwks, context.now);
    await registerKeys(tx, before, pushed.jwks, context.now, 'push');
    await settleProposals(tx, before.id, context.now);
    await hastenRefresh(tx, before.id);
    const after = { ...before, version: before.version + 1 };
    await tx.update(entities).set({ version: after.version }).where(eq(entities.id, before.id));
    const registered = await registeredKeysOf(tx, before.id);
    record({
      action: 'entity.push_keys',
      authorityId,
      subjectKind: 'entity',
      subjectId: before.id,
      before: entitySnapshot(before, keys),
      after: { ...entitySnapshot(after, registered), signedBy: pushed.signed.header.kid, iat: pushed.iat },
    });
    return differenceOf(keys, registered);
  });
}

/** A removed or compromised key is not among those registered, an expired one counts no more. */
async function requireSignedBy(pushed: PushedKeySet, keys: readonly RegisteredKey[], now: Date): Promise<void> {
  try {
    await verifySignature(pushed.signed, { keys: liveKeysOf({ keys }, now) });
  } catch (error) {
    if (error instanceof FederationError) throw notAuthorised(error);
    throw error;
  }
}

function notAuthorised(cause?: unknown): FederationError {
  const message = 'the key set is not signed by a registered key of an active subordinate of this authority';
  return new FederationError('key_set_not_authorised', message, 'header/kid', { cause });
}

async function lockActive(
  tx: Tx,
  authorityId: string,
  { subject }: PushedKeySet,
): Promise<{ before: EntityRow; since: Date }> {
  const [before] = await tx
    .select()
    .from(entities)
    .where(
      and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, subject), eq(entities.state, 'active')),
    )
    .for('update');
  const since = before && (await activeSince(tx, before));
  if (before === undefined || since === undefined) throw notAuthorised();
  return { before, since };
}

/**
 * What was signed before a suspension says nothing after it: meanwhile somebody else may have had the key, or decided.
 * @param since when the entity became active
 */
async function requireNewer(
  db: Db | Tx,
  entity: Pick<EntityRow, 'authorityId' | 'entityIdentifier'>,
  since: Date,
  { iat }: PushedKeySet,
): Promise<void> {
  const { pushedIat } = await acceptedStatements(db, entity);
  const activeFrom = since.getTime() / 1000;
  if (iat >= activeFrom && (pushedIat === null || iat > pushedIat)) return;
  const last = Math.max(pushedIat ?? 0, activeFrom);
  const message = `its iat must be later than ${last}, when the last set was accepted or decided otherwise; sign it anew`;
  throw new FederationError('key_set_not_newer', message, '/iat');
}

async function requireRegistrable(tx: Tx, entity: EntityRow, jwks: JwkSet, now: Date): Promise<void> {
  const complaints = await registrationComplaints(jwks, await keyHistory(tx, entity));
  if (!isStorable(jwks)) complaints.push('it holds the character U+0000 or half of a surrogate pair');
  if (!jwks.keys.some((key) => isLive(key, now))) {
    complaints.push('no key would be left that counts; only a person decides that');
  }
  if (complaints.length === 0) return;
  throw new FederationError('key_set_invalid', `the key set is refused: ${complaints.join('; ')}`, '/keys');
}

function differenceOf(before: readonly RegisteredKey[], after: readonly RegisteredKey[]): PushedKeys {
  const [old, registered] = [kidsOf(before), kidsOf(after)];
  return {
    registered,
    added: registered.filter((kid) => !old.includes(kid)),
    removed: old.filter((kid) => !registered.includes(kid)),
  };
}

function kidsOf(keys: readonly RegisteredKey[]): string[] {
  return keys.map(({ jwk }) => jwk.kid);
}
