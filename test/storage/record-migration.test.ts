import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { isRecordId } from '../../src/registry/record-id.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

const RECORD = '0018_record';

describe.each(DATABASE_KINDS)('migration 0018 on %s', (kind) => {
  it('makes records of contacts, in their order, and asks old authorities for none', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply, applyBefore } = database;
    await applyBefore(RECORD);
    const [authority, organisation] = ['019baf5e-0000-7000-8000-000000000001', '019baf5e-0000-7000-8000-000000000002'];
    await db.execute(sql`
      INSERT INTO authorities (id, entity_identifier, location, name, authority_hints, metadata, default_metadata_policy,
        configuration_lifetime_seconds, statement_lifetime_seconds, resolve_lifetime_seconds, version, created_at)
      VALUES (${authority}, 'https://a.example', 'a.example', 'A', '[]', '{}', '{}', 86400, 3600, 3600, 1,
        '2027-01-01T00:00:00Z')`);
    const contacts = Array.from({ length: 20 }, (_, index) => ({ type: 'technical', email: `ops-${index}@o.example` }));
    const listed = JSON.stringify([{ type: 'incident', name: 'Ada', email: 'ada@o.example' }, ...contacts]);
    await db.execute(sql`
      INSERT INTO organisations (id, authority_id, name, contacts, state, state_changed_at, version, created_at)
      VALUES (${organisation}, ${authority}, 'O', ${listed}::jsonb, 'active', '2027-01-01T00:00:00Z', 1,
        '2027-01-01T00:00:00.123Z')`);
    await apply(RECORD);
    const { rows } = await db.execute<{ id: string; email: string; type: string; name: string | null }>(
      sql`SELECT id, email, type, name FROM contacts ORDER BY id`,
    );
    expect(rows.map(({ email }) => email)).toEqual(['ada@o.example', ...contacts.map(({ email }) => email)]);
    expect(rows[0]).toMatchObject({ type: 'incident', name: 'Ada' });
    expect(rows[1]).toMatchObject({ type: 'technical', name: null });
    expect(rows.filter(({ id }) => !isRecordId(id))).toEqual([]);
    expect(rows[0]?.id.slice(0, 13)).toBe(
      `0${Date.UTC(2027, 0, 1, 0, 0, 0, 123).toString(16)}`.replace(/^(.{8})/, '$1-'),
    );
    const { rows: kept } = await db.execute(sql`SELECT legal_name, tags FROM organisations`);
    expect(kept).toEqual([{ legal_name: 'O', tags: [] }]);
    const { rows: asking } = await db.execute(sql`SELECT required_contact_types AS types FROM authorities`);
    expect(asking).toEqual([{ types: [] }]);
  });
});
