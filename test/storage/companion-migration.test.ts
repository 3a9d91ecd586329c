import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

describe.each(DATABASE_KINDS)('migrations for the companion endpoints on %s', (kind) => {
  it('take the times of registration and last change from the audit, and what to look for from the records', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply } = database;
    await apply('0001_registry');
    const [authority, organisation] = ['019baf5e-0000-7000-8000-000000000001', '019baf5e-0000-7000-8000-000000000002'];
    await db.execute(sql`
      INSERT INTO authorities VALUES (${authority}, 'https://a.example', 'a.example', 'A',
        '[]', '{}', '{}', NULL, 86400, 3600, 3600, 1, '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, name, contacts, state, state_changed_at, version, created_at)
      VALUES (${organisation}, ${authority}, 'O', '[]', 'active', '2027-01-01T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    const ids = ['019baf5e-0000-7000-8000-000000000011', '019baf5e-0000-7000-8000-000000000012'];
    for (const [index, id] of ids.entries()) {
      await db.execute(sql`
        INSERT INTO entities (id, authority_id, organisation_id, entity_identifier, enrolment, registered_entity_types,
          registered_intermediate, metadata, metadata_policy, additional_claims, crit, checks, evidence, state,
          state_changed_at, version, created_at)
        VALUES (${id}, ${authority}, ${organisation}, ${`https://e${index}.example`}, 'published', '[]', false, '{}', '{}',
          '{}', '[]', '[]', '{}', 'pending', '2027-01-02T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    }
    for (const [index, action] of ['entity.add', 'entity.approve', 'entity.update'].entries()) {
      await db.execute(sql`
        INSERT INTO audit (seq, ordinal, at, actor, action, authority_id, subject_kind, subject_id)
        VALUES (${index + 1}, 0, ${`2027-01-0${index + 3}T00:00:00Z`}, '{}', ${action}, ${authority}, 'entity', ${ids[0]})`);
    }
    await apply('0011_companion');
    const { rows } = await db.execute(sql`
      SELECT extract(epoch from registered_at)::int AS registered, extract(epoch from updated_at)::int AS updated
      FROM entities ORDER BY id`);
    const day = (number: number) => Date.UTC(2027, 0, number) / 1000;
    expect(rows).toEqual([
      { registered: day(4), updated: day(5) },
      { registered: null, updated: day(2) },
    ]);
    await apply('0015_companion_search');
    const texts = async () =>
      (await db.execute(sql`SELECT text FROM entity_search_texts ORDER BY entity_id`)).rows.map(({ text }) => text);
    expect(await texts()).toEqual(['https://e0.example', 'https://e1.example']);
    await db.execute(sql`
      UPDATE entities SET metadata = '{"oauth_client":{"client_name":"ACME","logo_uri":"x"}}' WHERE id = ${ids[1]}`);
    expect(await texts()).toEqual(['https://e0.example', 'https://e1.example\nacme']);
  });
});
