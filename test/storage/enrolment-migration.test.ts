import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

const REQUESTS = '0025_requests_and_proofs';
const AUTHORITY = '019baf5e-0000-7000-8000-000000000001';

describe.each(DATABASE_KINDS)('migration 0025 on %s', (kind) => {
  it('leaves one open request of each entity that signed, the one that is further', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply, applyBefore } = database;
    await applyBefore(REQUESTS);
    await db.execute(sql`
      INSERT INTO authorities (id, entity_identifier, location, name, authority_hints, metadata, default_metadata_policy,
        configuration_lifetime_seconds, statement_lifetime_seconds, resolve_lifetime_seconds, version, created_at)
      VALUES (${AUTHORITY}, 'https://a.example', 'a.example', 'A', '[]', '{}', '{}', 86400, 3600, 3600, 1,
        '2027-01-01T00:00:00Z')`);
    const organisation = '019baf5e-0000-7000-8000-000000000002';
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, legal_name, state, state_changed_at, version, created_at)
      VALUES (${organisation}, ${AUTHORITY}, 'O', 'active', '2027-01-01T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    let number = 2;
    const insert = async (entity: string, via: string, state: string, takenUp = false) => {
      const id = `019baf5e-0000-7000-8000-00000000000${++number}`;
      await db.execute(sql`
        INSERT INTO enrolments (id, authority_id, organisation_id, entity_identifier, request, flow, challenge, state,
          state_changed_at, submitted_via, submitted_by, version, created_at)
        VALUES (${id}, ${AUTHORITY}, ${takenUp ? organisation : null}, ${entity}, '{}', '[]', 'x', ${state}, now(),
          ${via}, '{}', 1, ${`2027-01-01T00:00:0${number}Z`})`);
    };
    await insert('https://x.example', 'signed_request', 'checks_failed');
    await insert('https://x.example', 'signed_request', 'checks_failed', true);
    await insert('https://x.example', 'signed_request', 'rejected');
    await insert('https://y.example', 'public', 'submitted');
    await insert('https://y.example', 'public', 'submitted');
    await apply(REQUESTS);
    const { rows } = await db.execute(sql`SELECT state FROM enrolments ORDER BY id`);
    expect(rows.map(({ state }) => state)).toEqual([
      ...['lapsed', 'checks_failed', 'rejected', 'submitted', 'submitted'],
    ]);
    await expect(insert('https://x.example', 'signed_request', 'submitted')).rejects.toThrow();
  });
});
