/** Reads how an entity is hosted. */
import { and, eq, exists, inArray, isNull, lte, ne, notExists, or, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities, entityKeys } from '../../storage/schema/entities.ts';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { Actor } from '../actor.ts';
import { readEntity } from '../entities/read-entity.ts';
import { expiryOf, type HostedKey, type HostedKeyRecord, type Hosting } from './hosted-entity.ts';
import { hostedKeysOf, notHosted } from './hosted-key.ts';

/** @throws RegistryError not_found, role_missing, not_hosted */
export async function readHosting(db: Db, actor: Actor, entityId: string): Promise<Hosting> {
  const entity = await readEntity(db, actor, entityId);
  const [found] = await db.select().from(hostedEntities).where(eq(hostedEntities.entityId, entity.id));
  if (found === undefined) throw notHosted(entity);
  const { hostname: _, uploadedConfiguration: configuration, ...hosted } = found;
  const keys = await hostedKeysOf(db, entityId);
  const awaitsUpload = keys.some(({ handedOverJwe }) => handedOverJwe !== null);
  return {
    ...hosted,
    entityIdentifier: entity.entityIdentifier,
    uploadedIat: awaitsUpload ? null : hosted.uploadedIat,
    awaitsUpload,
    servedUntil: hosted.mode === 'signed_here' || configuration === null ? null : expiryOf(configuration),
    keys: keys.map(withoutPrivateHalf),
  };
}

function withoutPrivateHalf(key: HostedKey): HostedKeyRecord {
  const { sealedPrivateKey: _, tokenObject: __, handedOverJwe: ___, handedOverTo: ____, ...record } = key;
  return record;
}

/**
 * Active entities with a key whose next step is due, or without one that signs: theirs is not registered any more.
 * In no order, so that among more than `limit` none is held up by others whose step fails again and again.
 */
export async function dueHostedEntities(db: Db, now: Date, limit: number): Promise<string[]> {
  const { entityId, state, custody, activateAfter, removeAfter, kid } = hostedKeys;
  const isDue = or(
    and(eq(state, 'announced'), ne(custody, 'partner'), lte(activateAfter, now)),
    and(eq(state, 'retired'), lte(removeAfter, now)),
  );
  const registered = db
    .select({ kid: entityKeys.kid })
    .from(entityKeys)
    .where(and(eq(entityKeys.entityId, entityId), eq(entityKeys.kid, kid), isNull(entityKeys.removedAt)));
  const isUnregistered = and(inArray(state, ['announced', 'active']), notExists(registered));
  const keysWhere = (condition: SQL | undefined) =>
    db
      .select({ kid })
      .from(hostedKeys)
      .where(and(eq(entityId, hostedEntities.entityId), condition));
  const withDueStep = exists(keysWhere(or(isDue, isUnregistered)));
  const withoutSigner = and(eq(hostedEntities.mode, 'signed_here'), notExists(keysWhere(eq(state, 'active'))));
  const rows = await db
    .select({ id: hostedEntities.entityId })
    .from(hostedEntities)
    .innerJoin(entities, eq(entities.id, hostedEntities.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isNull(hostedEntities.endedAt),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        or(withDueStep, withoutSigner),
      ),
    )
    .orderBy(sql`random()`)
    .limit(limit);
  return rows.map((row) => row.id);
}
