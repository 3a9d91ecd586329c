/** The last step of a roll: a retired key that nothing rests on any more moves to the historical keys. @see OIDFED §8.7 */
import { eq } from 'drizzle-orm';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import type { AuthorityKey } from '../authority.ts';
import { keyNamed, keySnapshot, lockAuthorityKeys } from './authority-key.ts';
import type { SignedByKey } from './signed-by-key.ts';

/**
 * Takes a retired key out of the Entity Configuration when all that it signed is over.
 * @returns false while something lives, and for a key that is not retired: then nothing changes
 * @throws RegistryError not_found, role_missing
 */
export async function archiveAuthorityKey(
  context: ChangeContext,
  authorityId: string,
  kid: string,
  signedByKey: SignedByKey,
): Promise<boolean> {
  authorise(context.actor, ['admin'], authorityId);
  return await changeRegistry(context, async (tx, record) => {
    const { keys } = await lockAuthorityKeys(tx, authorityId);
    const key = keyNamed(keys, kid);
    if (key.state !== 'retired' || key.removeAfter === null || key.removeAfter > context.now) return false;
    if (await signedByKey.stillLives(tx, kid, context.now)) return false;
    const historical: AuthorityKey = { ...key, state: 'historical', expiresAt: context.now };
    await tx.update(authorityKeys).set(historical).where(eq(authorityKeys.id, key.id));
    record({
      action: 'authority_key.archive',
      authorityId,
      subjectKind: 'authority_key',
      subjectId: kid,
      before: keySnapshot(key),
      after: keySnapshot(historical),
    });
    return true;
  });
}
