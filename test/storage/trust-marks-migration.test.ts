import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

describe.each(DATABASE_KINDS)('migration 0013 on %s', (kind) => {
  it('knows the keys of delegations given before, and ends marks in whole seconds', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply } = database;
    await apply('0001_registry', '0008_trust_marks');
    const id = (number: number) => `019baf5e-0000-7000-8000-00000000000${number}`;
    await db.execute(sql`
      INSERT INTO authorities VALUES (${id(1)}, 'https://a.example', 'a.example', 'A',
        '[]', '{}', '{}', NULL, 86400, 3600, 3600, 1, '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO trust_mark_delegations (id, authority_id, trust_mark_type, issuer, expires_at, state, jwt, kid, version,
        created_at)
      VALUES (${id(2)}, ${id(1)}, 'urn:t', 'https://i.example', '2028-01-01T00:00:00Z', 'active', 'a.b.c', 'k', 3,
        '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO trust_mark_types (id, authority_id, trust_mark_type, name, additional_claims, eligibility, approval,
        state, version, created_at)
      VALUES (${id(3)}, ${id(1)}, 'urn:t', 'T', '{}', '{}', 'manual', 'active', 1, '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO trust_marks (id, authority_id, type_id, subject, state, state_changed_at, additional_claims, expires_at,
        requested_by, version, created_at)
      VALUES (${id(4)}, ${id(1)}, ${id(3)}, 'https://b.example', 'active', '2027-01-01T00:00:00Z', '{}',
        '2028-01-01T00:00:00.7Z', 'authority', 1, '2027-01-01T00:00:00Z')`);
    await apply('0013_trust_marks');
    const delegations = await db.execute(sql`
      SELECT delegation_id, version, kid, extract(epoch FROM expires_at)::int AS ends FROM issued_delegations`);
    const ends = Date.UTC(2028, 0, 1) / 1000;
    expect(delegations.rows).toEqual([{ delegation_id: id(2), version: 3, kid: 'k', ends }]);
    const marks = await db.execute(sql`SELECT extract(epoch FROM expires_at)::float8 AS ends FROM trust_marks`);
    expect(marks.rows).toEqual([{ ends }]);
  });
});
