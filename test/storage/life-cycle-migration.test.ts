import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

const LIFE_CYCLE = '0022_life_cycle';

describe.each(DATABASE_KINDS)('migration 0022 on %s', (kind) => {
  it('asks nobody of before to confirm anything, and ends no suspension of before', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply, applyBefore } = database;
    await applyBefore(LIFE_CYCLE);
    const [authority, organisation] = ['019baf5e-0000-7000-8000-000000000001', '019baf5e-0000-7000-8000-000000000002'];
    await db.execute(sql`
      INSERT INTO authorities (id, entity_identifier, location, name, authority_hints, metadata, default_metadata_policy,
        configuration_lifetime_seconds, statement_lifetime_seconds, resolve_lifetime_seconds, version, created_at)
      VALUES (${authority}, 'https://a.example', 'a.example', 'A', '[]', '{}', '{}', 86400, 3600, 3600, 1,
        '2027-01-01T00:00:00Z')`);
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, legal_name, state, state_changed_at, version, created_at)
      VALUES (${organisation}, ${authority}, 'O', 'suspended', '2027-01-01T00:00:00Z', 1, '2027-01-01T00:00:00Z')`);
    await apply(LIFE_CYCLE);
    const { rows: asking } = await db.execute(
      sql`SELECT contact_confirmation_days AS days, on_lapse AS policy FROM authorities`,
    );
    expect(asking).toEqual([{ days: null, policy: 'none' }]);
    const { rows: kept } = await db.execute(
      sql`SELECT state, suspended_until AS until, state_reason_code AS code FROM organisations`,
    );
    expect(kept).toEqual([{ state: 'suspended', until: null, code: null }]);
    // An end is of suspensions alone, whoever writes it.
    const ended = db.execute(sql`UPDATE organisations SET state = 'active', suspended_until = now()`);
    await expect(ended).rejects.toThrow();
  });
});
