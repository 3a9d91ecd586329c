import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

const POSSESSION = '0027_possession_and_role_dates';
const id = (number: number) => `019baf5e-0000-7000-8000-00000000000${number}`;

describe.each(DATABASE_KINDS)('migration 0027 on %s', (kind) => {
  it('takes no credential of before as proven, and tells nobody of dates that passed before', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply, applyBefore } = database;
    await applyBefore(POSSESSION);
    await db.execute(sql`
      INSERT INTO authorities (id, entity_identifier, location, name, authority_hints, metadata, default_metadata_policy,
        configuration_lifetime_seconds, statement_lifetime_seconds, resolve_lifetime_seconds, version, created_at)
      VALUES (${id(1)}, 'https://a.example', 'a.example', 'A', '[]', '{}', '{}', 86400, 3600, 3600, 1, now())`);
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, legal_name, state, state_changed_at, version, created_at)
      VALUES (${id(2)}, ${id(1)}, 'O', 'active', now(), 1, now())`);
    await db.execute(sql`
      INSERT INTO entities (id, authority_id, organisation_id, entity_identifier, enrolment, registered_entity_types,
        registered_intermediate, metadata, metadata_policy, additional_claims, crit, checks, evidence, state,
        state_changed_at, version, created_at)
      VALUES (${id(3)}, ${id(1)}, ${id(2)}, 'https://e.example', 'published', '[]', false, '{}', '{}', '{}', '[]', '[]',
        '{}', 'active', now(), 1, now())`);
    await db.execute(sql`
      INSERT INTO credentials (id, authority_id, entity_id, kind, usage, source, environment, kid, public_jwk,
        spki_sha256, state, state_changed_at, version, created_at)
      VALUES (${id(4)}, ${id(1)}, ${id(3)}, 'jwk', 'signing', 'external', 'production', 'k', '{}', 's', 'active', now(),
        1, now())`);
    await db.execute(sql`
      INSERT INTO authorisation_domains (id, authority_id, name, version, created_at)
      VALUES (${id(5)}, ${id(1)}, 'D', 1, now())`);
    const dates = [
      ['2020-01-01', '2021-01-01'],
      ['2020-01-01', '2120-01-01'],
      ['2119-01-01', '2120-01-01'],
      [null, null],
    ] as const;
    for (const [index, [from, to]] of dates.entries()) {
      const roleId = `019baf5e-0000-7000-8000-00000000001${index}`;
      await db.execute(sql`
        INSERT INTO roles (id, authority_id, domain_id, name, scopes, grant_types, metadata_policy, trust_mark_types,
          approvals, state, version, created_at)
        VALUES (${roleId}, ${id(1)}, ${id(5)}, ${`R${index}`}, '[]', '[]', '{}', '[]', 1, 'active', 1, now())`);
      await db.execute(sql`
        INSERT INTO role_assignments (id, authority_id, organisation_id, role_id, jurisdictions, assigned_by, valid_from,
          valid_to, state, state_changed_at, version, created_at)
        VALUES (${roleId}, ${id(1)}, ${id(2)}, ${roleId}, '[]', 'x', ${from}::timestamptz, ${to}::timestamptz, 'active',
          now(), 1, now())`);
    }
    await apply(POSSESSION);
    expect((await db.execute(sql`SELECT possession FROM credentials`)).rows).toEqual([{ possession: 'unproven' }]);
    const { rows } = await db.execute(sql`SELECT recorded_state AS state FROM role_assignments ORDER BY id`);
    expect(rows.map(({ state }) => state)).toEqual(['ended', 'active', 'upcoming', 'active']);
  });
});
