/** Fills the registry of a stopped deployment with active subordinates, each with a mark, past the API: that takes long. */
import { eq, sql } from 'drizzle-orm';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import { recordId } from '../../../src/registry/record-id.ts';
import { connectDatabase, type Db } from '../../../src/storage/connect.ts';
import { authorities } from '../../../src/storage/schema/authorities.ts';
import { entities, entityKeys } from '../../../src/storage/schema/entities.ts';
import { organisations } from '../../../src/storage/schema/organisations.ts';
import { trustMarkTypes } from '../../../src/storage/schema/trust-mark-types.ts';
import {
  entityRecord,
  generatePublicKeys,
  MARKED_TYPE,
  type OrganisationRow,
  organisationRecord,
  TRUST_ANCHOR,
} from './registry-records.ts';
import { ANCHOR_POLICY } from './relying-party.ts';

/** Generated once and used in turn: a key costs more than all else about a record. */
const KEY_POOL = 500;
export const ENTITIES_PER_ORGANISATION = 100;
/** Rows of one INSERT; PostgreSQL takes 65,535 parameters. */
const BATCH = 1_000;
/** So long that no statement is renewed while something is measured. */
const STATEMENT_LIFETIME_SECONDS = 86_400;

/** What a subordinate has instead of what all others have. */
export type Differences = (index: number) => Partial<typeof entities.$inferInsert>;

/** @param databaseUrl of a PostgreSQL with the authority TRUST_ANCHOR */
export async function fillRegistry(
  databaseUrl: string,
  subordinates: number,
  differences: Differences = () => ({}),
): Promise<void> {
  await using database = await connectDatabase({ url: databaseUrl, role: 'owner' });
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
      subordinateRow(owners, first + offset, now, differences),
    );
    await db.insert(entities).values(rows);
    await db.insert(entityKeys).values(rows.map(({ id }, offset) => keyOf(id, keys[(first + offset) % KEY_POOL], now)));
  }
  await markEach(db, authorityId, now);
  await db.execute(sql`ANALYZE`);
}

/** Every subordinate bears the same mark. A grant has the id of whom it was given to: that is unique, and as quick. */
async function markEach(db: Db, authorityId: string, now: Date): Promise<void> {
  const id = recordId(now.getTime(), 0);
  await db.insert(trustMarkTypes).values({
    ...{ id, authorityId, ...MARKED_TYPE, eligibility: {} },
    ...{ approval: 'manual', state: 'active', version: 1, createdAt: now },
  });
  await db.execute(sql`
    INSERT INTO trust_marks (id, authority_id, type_id, subject, entity_id, state, state_changed_at, additional_claims,
      requested_by, version, created_at)
    SELECT id, authority_id, ${id}::uuid, entity_identifier, id, 'active', created_at, '{}', 'authority', 1, created_at
    FROM entities`);
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

function subordinateRow(owners: readonly OrganisationRow[], index: number, now: Date, differences: Differences) {
  return { ...entityRecord(ownerOf(owners, index), index, now), ...differences(index) };
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
