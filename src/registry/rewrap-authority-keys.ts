/** Seals every private key of the deployment under another master key, all or none. */
import { asc, eq, isNotNull } from 'drizzle-orm';
import type { Tx } from '../storage/connect.ts';
import { authorityKeys } from '../storage/schema/authority-keys.ts';
import { deployment } from '../storage/schema/deployment.ts';
import { authorise } from './actor.ts';
import type { AuthorityKey } from './authorities/authority.ts';
import { type ChangeContext, changeRegistry } from './change.ts';
import { RegistryError } from './registry-error.ts';

/** A key with its sealed private half. */
export type SealedAuthorityKey = Pick<AuthorityKey, 'id' | 'authorityId' | 'kid' | 'alg' | 'purpose'> & {
  sealedPrivateKey: Uint8Array;
};

/** From the present master key to a new one; filled by whoever holds both. */
export interface MasterKeyChange {
  /** Whether the present master key made this `deployment.masterKeyCheck`. */
  isPresentCheck: (masterKeyCheck: string) => boolean;
  /** The check that the new master key makes. */
  newCheck: string;
  /** The private half sealed under the new master key. @throws when the present one does not open it */
  rewrap: (key: SealedAuthorityKey) => Uint8Array;
}

/**
 * Rewraps all keys in one transaction, together with the check that tells the right master key at the next start. No
 * node may run meanwhile: it would go on to seal new keys under the old master key.
 * @throws RegistryError role_missing, validation_failed when the present master key is not the deployment's
 */
export async function rewrapAuthorityKeys(
  context: ChangeContext,
  { isPresentCheck, newCheck, rewrap }: MasterKeyChange,
): Promise<{ rewrapped: number }> {
  authorise(context.actor, ['admin'], null);
  return changeRegistry(context, async (tx, record) => {
    const [bound] = await tx.select().from(deployment).where(eq(deployment.id, 1)).for('update');
    if (bound === undefined || !isPresentCheck(bound.masterKeyCheck)) {
      const message = 'the present master key is not the one that this deployment is sealed with';
      throw new RegistryError('validation_failed', message);
    }
    const keys = await sealedKeys(tx);
    for (const key of keys) {
      await tx
        .update(authorityKeys)
        .set({ sealedPrivateKey: rewrap(key) })
        .where(eq(authorityKeys.id, key.id));
    }
    await tx.update(deployment).set({ masterKeyCheck: newCheck }).where(eq(deployment.id, 1));
    record({
      action: 'deployment.rewrap_keys',
      authorityId: null,
      subjectKind: 'deployment',
      subjectId: 'master_key',
      after: { kids: keys.map(({ kid }) => kid) },
    });
    return { rewrapped: keys.length };
  });
}

async function sealedKeys(tx: Tx): Promise<SealedAuthorityKey[]> {
  const { id, authorityId, kid, alg, purpose, sealedPrivateKey } = authorityKeys;
  const rows = await tx
    .select({ id, authorityId, kid, alg, purpose, sealedPrivateKey })
    .from(authorityKeys)
    .where(isNotNull(sealedPrivateKey))
    .orderBy(asc(id))
    .for('update');
  return rows.filter((row): row is SealedAuthorityKey => row.sealedPrivateKey !== null);
}
