/** Fills the registry of a stopped deployment with active subordinates, past the API: 100,000 would take long there. */
import { eq, sql } from 'drizzle-orm';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import { connectDatabase, type Db } from '../../../src/storage/connect.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { entities, entityKeys } from '../../../src/storage/schema/entities.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import {
  entityRecord,
  generatePublicKeys,
  type OrganisationRow,
  organisationRecord,
  TRUST_ANCHOR,
} from './registry-records.ts';
import { ANCHOR_POLICY } from './relying-party.ts';

/** Generated once and used in turn: a key costs more than all else about a record. */
const KEY_POOL = 500;
const ENTITIES_PER_ORGANISATION = 100;
/** Rows of one INSERT; PostgreSQL takes 65,535 parameters. */
const BATCH = 1_000;
/** So long that no statement is renewed while something is measured. */
const STATEMENT_LIFETIME_SECONDS = 86_400;

/** @param databaseUrl of a PostgreSQL with the authority TRUST_ANCHOR */
export async function fillRegistry(databaseUrl: string, subordinates: number): Promise<void> {
  await using database = await connectDatabase({ url: databaseUrl });
  const { db } = database;
  const authorityId = await prepareAuthority(db);
  const now = new Date();
  const keys = await generatePublicKeys(KEY_POOL);
  const count = Math.ceil(subordinates / ENTITIES_PER_ORGANISATION);
  const owners = Array.from({ length: count }, (_, index) => organisationRecord(authorityId, index, now));
  for (let first = 0; first < owners.length; first += BATCH) {
    await db.insert(organisations).values(owners.slice(first, first + BATCH));
  }
  for (let first = 0; first < subordinates; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, subordinates - first) }, (_, offset) =>
      entityRecord(ownerOf(owners, first + offset), first + offset, now),
    );
    await db.insert(entities).values(rows);
    await db.insert(entityKeys).values(rows.map(({ id }, offset) => keyOf(id, keys[(first + offset) % KEY_POOL], now)));
  }
  await db.execute(sql`ANALYZE`);
}

async function prepareAuthority(db: Db): Promise<string> {
  const [authority] = await db
    .update(authorities)
    .set({ defaultMetadataPolicy: ANCHOR_POLICY, statementLifetimeSeconds: STATEMENT_LIFETIME_SECONDS })
    .where(eq(authorities.entityIdentifier, TRUST_ANCHOR))
    .returning({ id: authorities.id });
  if (authority === undefined) throw new Error(`the database has no authority ${TRUST_ANCHOR}`);
  return authority.id;
}

function ownerOf(owners: readonly OrganisationRow[], index: number): OrganisationRow {
  const owner = owners[Math.floor(index / ENTITIES_PER_ORGANISATION)];
  if (owner === undefined) throw new RangeError(`subordinate ${index} has no organisation`);
  return owner;
}

function keyOf(entityId: string, jwk: Jwk | undefined, now: Date): typeof entityKeys.$inferInsert {
  if (jwk === undefined) throw new RangeError('the pool of keys is empty');
  return { entityId, kid: jwk.kid, position: 0, publicJwk: jwk as JsonObject, addedAt: now };
}
