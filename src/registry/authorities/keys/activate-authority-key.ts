/** The second step of a roll: the announced key signs from now on, the one before it retires. @see OIDFED §11.2 */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { authorise } from '../../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import type { AuthorityKey, AuthorityKeyRecord } from '../authority.ts';
import { signingFromNow } from './announce-authority-key.ts';
import { illegalFor, keyIn, keyNamed, keySnapshot, lockAuthorityKeys, withoutPrivateHalf } from './authority-key.ts';
import { after, LEEWAY_SECONDS, latest } from './key-times.ts';
import { readSightings, waitsOf } from './superior-sightings.ts';

export interface Activation {
  /** Although others may not know the key yet: chains may fail for them until they ask again. */
  isForced?: boolean;
  /** Why; for the audit. */
  reason?: string;
}

/**
 * Lets an announced key sign, once it was announced for long enough and every superior's statement has listed it for so
 * long that no earlier one is in use. The key before it stays published while anything lives that it signed.
 * @throws RegistryError not_found, role_missing, illegal_transition, key_not_ready with what it waits for
 */
export async function activateAuthorityKey(
  context: ChangeContext,
  authorityId: string,
  kid: string,
  { isForced = false, reason }: Activation = {},
): Promise<AuthorityKeyRecord> {
  authorise(context.actor, ['admin'], authorityId);
  return await changeRegistry(context, async (tx, record) => {
    const { authority, keys } = await lockAuthorityKeys(tx, authorityId);
    const announced = keyNamed(keys, kid);
    if (announced.state !== 'announced') throw illegalFor(announced, 'activate', 'an announced one can be');
    const waits = waitsOf(announced, authority, await readSightings(tx, [announced.id]), context.now);
    if (waits.length > 0 && !isForced) {
      const details = waits.map(({ superior, detail }) => (superior === undefined ? detail : `${superior}: ${detail}`));
      throw new RegistryError('key_not_ready', `the key ${kid} cannot sign yet: ${details.join('; ')}`, { waits });
    }
    const former = keyIn(keys, 'active');
    const now = latest(context.now, announced.createdAt, former?.activatedAt);
    if (former !== undefined) record({ ...(await retire(tx, former, now)), ...(reason !== undefined && { reason }) });
    const key = await signingFromNow(tx, authority, announced, now);
    await tx.update(authorityKeys).set(key).where(eq(authorityKeys.id, key.id));
    record({
      action: 'authority_key.activate',
      authorityId,
      subjectKind: 'authority_key',
      subjectId: kid,
      before: keySnapshot(announced),
      after: { ...keySnapshot(key), ...(waits.length > 0 && { forced: true }) },
      ...(reason !== undefined && { reason }),
    });
    return withoutPrivateHalf(key);
  });
}

/** It signs no more, so its private half is destroyed. */
async function retire(tx: Tx, key: AuthorityKey, retiredAt: Date): Promise<AuditEntry> {
  const removeAfter = after(retiredAt, key.longestLifetimeSeconds + LEEWAY_SECONDS);
  const retired: AuthorityKey = { ...key, state: 'retired', retiredAt, removeAfter, sealedPrivateKey: null };
  await tx.update(authorityKeys).set(retired).where(eq(authorityKeys.id, key.id));
  return {
    action: 'authority_key.retire',
    authorityId: key.authorityId,
    subjectKind: 'authority_key',
    subjectId: key.kid,
    before: keySnapshot(key),
    after: keySnapshot(retired),
  };
}
