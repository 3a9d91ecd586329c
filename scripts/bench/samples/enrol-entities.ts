/** Enrols entities that publish themselves, past the API, with the only authority of a stopped deployment. */
import type { JsonObject } from '../../../src/federation/json.ts';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import { connectDatabase, type Db } from '../../../src/storage/connect.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { entities, entityKeys } from '../../../src/storage/schema/entities.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { entityRecord, organisationRecord } from './registry-records.ts';
import { ANCHOR_POLICY } from './relying-party.ts';

export interface EnrolledEntity {
  identifier: string;
  jwks: JwkSet;
  isIntermediate: boolean;
}

/** Settings of the authority that no enrolment has. */
export interface AuthoritySettings {
  /** For how long its resolve responses live; those in the second half of their life are signed anew. */
  resolveLifetimeSeconds?: number | undefined;
}

/** @param databaseUrl of a PostgreSQL with one authority */
export async function enrolEntities(
  databaseUrl: string,
  enrolled: readonly EnrolledEntity[],
  settings: AuthoritySettings = {},
): Promise<void> {
  await using database = await connectDatabase({ url: databaseUrl });
  const { db } = database;
  const now = new Date();
  const [authority, ...others] = await db
    .update(authorities)
    .set({ defaultMetadataPolicy: ANCHOR_POLICY, ...settings })
    .returning({ id: authorities.id });
  if (authority === undefined || others.length > 0) throw new Error('the database has no authority, or several');
  const organisation = organisationRecord(authority.id, 0, now);
  await db.insert(organisations).values(organisation);
  for (const [index, entity] of enrolled.entries()) {
    await enrol(db, { ...entityRecord(organisation, index, now), ...differences(entity) }, entity.jwks);
  }
}

/** What an entity has instead of what all others in the registry's samples have. */
function differences({ identifier, isIntermediate }: EnrolledEntity): Partial<typeof entities.$inferInsert> {
  const types = isIntermediate ? { registeredEntityTypes: [], verifiedEntityTypes: [], metadata: {} } : {};
  return {
    ...types,
    entityIdentifier: identifier,
    registeredIntermediate: isIntermediate,
    verifiedIntermediate: isIntermediate,
  };
}

async function enrol(db: Db, row: typeof entities.$inferInsert, { keys }: JwkSet): Promise<void> {
  await db.insert(entities).values(row);
  await db.insert(entityKeys).values(
    keys.map((jwk, position) => ({
      entityId: row.id,
      kid: jwk.kid,
      position,
      publicJwk: jwk as JsonObject,
      addedAt: row.createdAt,
    })),
  );
}
