/** Marks a key of an entity that somebody else may have: from then on it authorises nothing. */
import { and, asc, eq } from 'drizzle-orm';
import { isSamePublicKey, type Jwk } from '../../../federation/jwk-set.ts';
import type { Tx } from '../../../storage/connect.ts';
import { entities, entityKeys } from '../../../storage/schema/entities.ts';
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension, notFound } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { type Entity, type EntityRow, entitySnapshot } from '../entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { settleProposals, withdrawSignedBy } from './key-proposals.ts';
import { forgetConfigurations, outdatePushed } from './key-statements.ts';
import { hastenRefresh } from './refreshes.ts';

type Place = typeof entityKeys.$inferSelect;

/**
 * The key leaves the Subordinate Statement at once, whatever the state of the entity, and even when it is the last one;
 * so it does wherever it stands under another kid, or in another record of the same entity. It never returns. What it
 * proposed is forgotten, and the next configuration of another key counts whatever this one signed last.
 * @throws RegistryError not_found, role_missing
 */
export async function markKeyCompromised(
  context: ChangeContext,
  entityId: string,
  { kid, reason }: { kid: string; reason: string },
): Promise<Entity> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(
    despiteSuspension(context.actor),
    ACCESS.markEntityKeyCompromised.roles,
    authorityId,
    organisationId,
    entityId,
  );
  const { now } = context;
  await changeRegistry(context, async (tx, record) => {
    const { records, places } = await placesOf(tx, entityId, kid);
    const fresh = places.filter((place) => place.compromisedAt === null);
    if (fresh.length === 0) return;
    const ids = records.map(({ id }) => id);
    await forgetConfigurations(tx, ids);
    for (const before of records) {
      const here = fresh.filter((place) => place.entityId === before.id);
      if (here.length === 0) continue;
      const keys = await registeredKeysOf(tx, before.id);
      for (const place of here) await mark(tx, place, reason, now);
      const kids = here.map((place) => place.kid);
      const withdrawn = await withdrawSignedBy(tx, before.id, kids);
      await settleProposals(tx, before.id, now);
      await outdatePushed(tx, before.id, now);
      await hastenRefresh(tx, before.id);
      const after = { ...before, version: before.version + 1 };
      await tx.update(entities).set({ version: after.version }).where(eq(entities.id, before.id));
      record({
        action: 'entity.mark_key_compromised',
        authorityId,
        subjectKind: 'entity',
        subjectId: before.id,
        before: entitySnapshot(before, keys),
        after: { ...entitySnapshot(after, await registeredKeysOf(tx, before.id)), kid, withdrawn },
        reason,
      });
    }
  });
  return readEntity(context.db, context.actor, entityId);
}

/** All records of the entity, locked, and every place in them where this very key stands. */
async function placesOf(tx: Tx, entityId: string, kid: string): Promise<{ records: EntityRow[]; places: Place[] }> {
  const [given] = await tx.select().from(entities).where(eq(entities.id, entityId));
  const sameEntity = and(
    eq(entities.authorityId, given?.authorityId ?? entityId),
    eq(entities.entityIdentifier, given?.entityIdentifier ?? ''),
  );
  const records = await tx.select().from(entities).where(sameEntity).orderBy(asc(entities.id)).for('update');
  const rows = await tx
    .select({ key: entityKeys })
    .from(entityKeys)
    .innerJoin(entities, eq(entities.id, entityKeys.entityId))
    .where(sameEntity);
  const all = rows.map(({ key }) => key);
  const named = all.find((key) => key.entityId === entityId && key.kid === kid);
  if (named === undefined) throw notFound('key', kid);
  const isNamed = ({ publicJwk }: Place) => isSamePublicKey(publicJwk as Jwk, named.publicJwk as Jwk);
  return { records, places: all.filter(isNamed) };
}

async function mark(tx: Tx, { entityId, kid, removedAt }: Place, reason: string, now: Date): Promise<void> {
  await tx
    .update(entityKeys)
    .set({
      compromisedAt: now,
      compromiseReason: reason,
      removal: 'compromised',
      removedAt: removedAt ?? now,
    })
    .where(and(eq(entityKeys.entityId, entityId), eq(entityKeys.kid, kid)));
}
