/** Whose a transport key is. One key, and so each certificate of it, speaks for one entity in one environment. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { credentials, transportKeys } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { isOpen } from './credential-standing.ts';

/**
 * Makes the key the entity's, unless it is somebody's whose credential with it may count yet. Of two who claim it at
 * once one waits for the other at the primary key. Whose it is is not told: it may be somebody of another authority.
 * @throws RegistryError credential_in_use
 */
export async function claimTransportKey(tx: Tx, spkiSha256: string, entityId: string, now: Date): Promise<void> {
  const claimed = await tx
    .insert(transportKeys)
    .values({ spkiSha256, entityId })
    .onConflictDoNothing()
    .returning({ entityId: transportKeys.entityId });
  if (claimed.length > 0) return;
  const ofKey = eq(transportKeys.spkiSha256, spkiSha256);
  const [holder] = await tx.select().from(transportKeys).where(ofKey).for('update');
  if (holder?.entityId === entityId) return;
  if (holder !== undefined && (await isInUse(tx, spkiSha256, holder.entityId, now))) {
    const message = 'this key is in use by another entity, or in another environment; each has a key of its own';
    throw new RegistryError('credential_in_use', message);
  }
  await tx.update(transportKeys).set({ entityId }).where(ofKey);
}

/** Closed records are never opened again, and so their credentials never count again. */
async function isInUse(tx: Tx, spkiSha256: string, entityId: string, now: Date): Promise<boolean> {
  const [used] = await tx
    .select({ id: credentials.id })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        eq(credentials.spkiSha256, spkiSha256),
        eq(credentials.entityId, entityId),
        eq(credentials.usage, 'transport'),
        isOpen(now),
        inArray(entities.state, [...LIVE_STATES]),
        inArray(organisations.state, [...LIVE_STATES]),
      ),
    )
    .limit(1);
  return used !== undefined;
}
