/** Whose a transport key is. One key, and so each certificate of it, speaks for one entity in one environment. */
import { and, asc, eq, getTableColumns, inArray } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { credentials, transportKeys } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { AuditEntry } from '../change.ts';
import type { EntityRow } from '../entities/entity.ts';
import { RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import type { CredentialRow } from './credential.ts';
import { isOpen } from './credential-standing.ts';
import { endCredential } from './revoke-credential.ts';

/** Shown by the credential that ends so; whose the key is now, it does not tell. */
const TAKEN_OVER = 'nobody proved to have this key here, and the owner of another entity did';

/**
 * Makes the key the entity's, unless it is somebody's whose credential with it may count yet. Of two who claim it at
 * once one waits for the other at the primary key. Whose it is is not told: it may be somebody of another authority.
 * Who proves to have the key takes it over, under the same authority, from who did not: that one's credentials with it
 * are revoked.
 * @throws RegistryError credential_in_use
 */
export async function claimTransportKey(
  tx: Tx,
  { spkiSha256, possession }: Pick<CredentialRow, 'spkiSha256' | 'possession'>,
  { id: entityId, authorityId }: EntityRow,
  now: Date,
  record: (entry: AuditEntry) => void,
): Promise<void> {
  const claimed = await tx
    .insert(transportKeys)
    .values({ spkiSha256, entityId })
    .onConflictDoNothing()
    .returning({ entityId: transportKeys.entityId });
  if (claimed.length > 0) return;
  const ofKey = eq(transportKeys.spkiSha256, spkiSha256);
  const [holder] = await tx.select().from(transportKeys).where(ofKey).for('update');
  if (holder?.entityId === entityId) return;
  const used = holder === undefined ? [] : await inUse(tx, spkiSha256, holder.entityId, now);
  requireTakeable(used, possession, authorityId);
  for (const before of used) {
    await endCredential(tx, before, { reasonCode: 'privilege_withdrawn', reason: TAKEN_OVER }, now, record);
  }
  await tx.update(transportKeys).set({ entityId }).where(ofKey);
}

/** @throws RegistryError credential_in_use */
function requireTakeable(
  used: readonly CredentialRow[],
  possession: CredentialRow['possession'],
  authorityId: string,
): void {
  if (used.length === 0) return;
  const message = 'this key is in use by another entity, or in another environment; each has a key of its own';
  if (possession === 'unproven') {
    throw new RegistryError(
      'credential_in_use',
      `${message}. If nobody proved there to have it, a proof takes it over`,
    );
  }
  if (used.some((credential) => credential.possession === 'proven')) {
    throw new RegistryError('credential_in_use', message);
  }
  if (used.every((credential) => credential.authorityId === authorityId)) return;
  const wayOut = 'nobody proved there to have it, but that is under another authority: ask the operator to revoke it';
  throw new RegistryError('credential_in_use', `${message}; ${wayOut}`);
}

/** Closed records are never opened again, and so their credentials never count again. */
async function inUse(tx: Tx, spkiSha256: string, entityId: string, now: Date): Promise<CredentialRow[]> {
  return await tx
    .select(getTableColumns(credentials))
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
    .orderBy(asc(credentials.id))
    .for('update', { of: credentials });
}
