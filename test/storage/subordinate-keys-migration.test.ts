import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

describe.each(DATABASE_KINDS)('migration 0014 on %s', (kind) => {
  it('forgets proposals that were withdrawn, and no others', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply } = database;
    await apply('0001_registry', '0009_subordinate_keys');
    const ids = [1, 2, 3].map((number) => `019baf5e-0000-7000-8000-00000000000${number}`);
    const [authority, organisation, entity] = ids;
    await db.execute(sql`
      INSERT INTO authorities VALUES (${authority}, 'https://a.example', 'a.example', 'A',
        '[]', '{}', '{}', NULL, 86400, 3600, 3600, 1, '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, name, contacts, state, state_changed_at, version, created_at)
      VALUES (${organisation}, ${authority}, 'O', '[]', 'active', '2027-01-01T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO entities (id, authority_id, organisation_id, entity_identifier, enrolment, registered_entity_types,
        registered_intermediate, metadata, metadata_policy, additional_claims, crit, checks, evidence, state,
        state_changed_at, version, created_at)
      VALUES (${entity}, ${authority}, ${organisation}, 'https://e.example', 'published', '[]', false, '{}', '{}', '{}',
        '[]', '[]', '{}', 'active', '2027-01-02T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    const propose = (state: string) =>
      db.execute(sql`
      INSERT INTO entity_key_proposals (entity_id, kid, public_jwk, state, proposed_at)
      VALUES (${entity}, ${`a key ${state}`}, '{}', ${state}, '2027-01-02T00:00:00Z')`);
    for (const state of ['proposed', 'accepted', 'refused', 'withdrawn']) await propose(state);
    await apply('0014_subordinate_keys');
    const { rows } = await db.execute(sql`SELECT state, signed_by AS by FROM entity_key_proposals ORDER BY state`);
    expect(rows).toEqual(['accepted', 'proposed', 'refused'].map((state) => ({ state, by: null })));
    await expect(propose('withdrawn')).rejects.toThrow();
  });
});
