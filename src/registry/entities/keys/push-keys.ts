/** Makes the registered keys of a subordinate those of a set that it signed with one of them. @see OIDFED §11.2 */
import { and, eq } from 'drizzle-orm';
import { FederationError } from '../../../federation/errors.ts';
import type { JwkSet } from '../../../federation/jwk-set.ts';
import type { PushedKeySet } from '../../../federation/pushed-key-set.ts';
import { verifySignature } from '../../../federation/signature.ts';
import type { Tx } from '../../../storage/connect.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { isStorable } from '../../storable.ts';
import { type EntityRow, entitySnapshot, type RegisteredKey } from '../entity.ts';
import { registeredKeysOf } from '../read-entity.ts';
import { readSubordinate } from '../read-subordinate.ts';
import { barredKids, keyHistory, registerKeys, reusedKids } from '../register-keys.ts';
import { settleProposals } from './key-proposals.ts';
import { acceptedStatements, recordAccepted } from './key-statements.ts';
import { isEffectivelyActive, isLive } from './keys-changeable.ts';
import { hastenRefresh } from './refreshes.ts';

export interface PushedKeys {
  /** kids that are registered now, in the order of the set, and how that differs from before. */
  registered: string[];
  added: string[];
  removed: string[];
}

/**
 * Adds and removes keys in one step: the set replaces what was registered. Of an entity that is not active nobody learns
 * that it is known here.
 * @throws RegistryError not_found, role_missing
 * @throws FederationError key_set_not_authorised, key_set_not_newer, key_set_invalid
 */
export async function pushKeys(context: ChangeContext, authorityId: string, pushed: PushedKeySet): Promise<PushedKeys> {
  authorise(context.actor, ['registrar'], authorityId);
  // Strangers are turned away before they hold up anything.
  const known = await readSubordinate(context.db, authorityId, pushed.subject);
  await requireSignedBy(pushed, known?.keys ?? [], context.now);
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockActive(tx, authorityId, pushed);
    const keys = await registeredKeysOf(tx, before.id);
    await requireSignedBy(pushed, keys, context.now);
    await requireNewer(tx, before, pushed);
    await requireRegistrable(tx, before, pushed.jwks, context.now);
    await registerKeys(tx, before, pushed.jwks, context.now, 'push');
    await recordAccepted(tx, before.id, { pushedIat: pushed.iat });
    await settleProposals(tx, before.id, context.now);
    await hastenRefresh(tx, before.id, context.now);
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
    return differenceOf(kidsOf(keys), kidsOf(registered));
  });
}

/** A removed or compromised key is not among those registered, an expired one counts no more. */
async function requireSignedBy(pushed: PushedKeySet, keys: readonly RegisteredKey[], now: Date): Promise<void> {
  const live = keys.map(({ jwk }) => jwk).filter((key) => isLive(key, now));
  try {
    await verifySignature(pushed.signed, { keys: live });
  } catch (error) {
    if (error instanceof FederationError) throw notAuthorised(error);
    throw error;
  }
}

function notAuthorised(cause?: unknown): FederationError {
  const message = 'the key set is not signed by a registered key of an active subordinate of this authority';
  return new FederationError('key_set_not_authorised', message, 'header/kid', { cause });
}

async function lockActive(tx: Tx, authorityId: string, { subject }: PushedKeySet): Promise<EntityRow> {
  const [entity] = await tx
    .select()
    .from(entities)
    .where(
      and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, subject), eq(entities.state, 'active')),
    )
    .for('update');
  if (entity === undefined || !(await isEffectivelyActive(tx, entity))) throw notAuthorised();
  return entity;
}

async function requireNewer(tx: Tx, entity: EntityRow, { iat }: PushedKeySet): Promise<void> {
  const { pushedIat } = await acceptedStatements(tx, entity);
  if (pushedIat === null || iat > pushedIat) return;
  const message = `its iat must be later than that of the set accepted last, ${pushedIat}; sign it anew`;
  throw new FederationError('key_set_not_newer', message, '/iat');
}

async function requireRegistrable(tx: Tx, entity: EntityRow, jwks: JwkSet, now: Date): Promise<void> {
  const { recorded, barred } = await keyHistory(tx, entity);
  const complaints = [
    ...reusedKids(jwks, recorded).map((kid) => `the kid ${kid} stood for another key; a new key needs a new kid`),
    ...barredKids(jwks, barred).map((kid) => `the key ${kid} was removed and does not return; make a new one`),
    ...(isStorable(jwks) ? [] : ['it holds the character U+0000 or half of a surrogate pair']),
    ...(jwks.keys.some((key) => isLive(key, now))
      ? []
      : ['no key would be left that counts; only a person decides that']),
  ];
  if (complaints.length === 0) return;
  throw new FederationError('key_set_invalid', `the key set is refused: ${complaints.join('; ')}`, '/keys');
}

function kidsOf(keys: readonly RegisteredKey[]): string[] {
  return keys.map(({ jwk }) => jwk.kid);
}

function differenceOf(before: readonly string[], registered: string[]): PushedKeys {
  return {
    registered,
    added: registered.filter((kid) => !before.includes(kid)),
    removed: before.filter((kid) => !registered.includes(kid)),
  };
}
