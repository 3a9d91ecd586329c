/** Ends the hosting of an entity: nothing is served for it any more, and no key is kept. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';

/** Works in the transaction of the verb that closes the record or lets it go elsewhere. */
export async function endHosting(tx: Tx, entityId: string, now: Date): Promise<void> {
  await tx.update(hostedEntities).set({ endedAt: now }).where(eq(hostedEntities.entityId, entityId));
  await tx
    .update(hostedKeys)
    .set({ state: 'removed', sealedPrivateKey: null, retiredAt: now })
    .where(eq(hostedKeys.entityId, entityId));
}
