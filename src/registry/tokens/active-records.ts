/** Where an entity is active: the records that an access token may be for. */
import { and, eq } from 'drizzle-orm';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { liveKeysOf } from '../entities/keys/keys-changeable.ts';
import { registeredKeysOf } from '../entities/read-entity.ts';

export interface ActiveRecord {
  entityId: string;
  /** Entity Identifier of its authority. */
  authority: string;
  /** Registered keys that have not expired. */
  keys: Jwk[];
}

/** One for each of our authorities that vouches for the entity at this moment. */
export async function activeRecordsOf(db: Db, entityIdentifier: string, now: Date): Promise<ActiveRecord[]> {
  const rows = await db
    .select({ entityId: entities.id, authority: authorities.entityIdentifier })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .where(
      and(
        eq(entities.entityIdentifier, entityIdentifier),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
      ),
    );
  const records: ActiveRecord[] = [];
  for (const row of rows) {
    const keys = await registeredKeysOf(db, row.entityId);
    records.push({ ...row, keys: liveKeysOf({ keys }, now) });
  }
  return records;
}
