import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { migratingDatabase } from '../support/migrations.ts';

const BEFORE = ['0001_registry', '0002_historical_keys', '0003_expiry', '0004_retrieved_statements'];

describe.each(DATABASE_KINDS)('migration 0007 on %s', (kind) => {
  it('finds keys of every state that there was before, and each its place', async () => {
    await using database = await migratingDatabase(kind);
    const { db, apply } = database;
    await apply(...BEFORE);
    await db.execute(sql`
      INSERT INTO authorities VALUES ('019baf5e-0000-7000-8000-000000000001', 'https://a.example', 'a.example', 'A',
        '[]', '{}', '{}', NULL, 86400, 3600, 3600, 1, '2027-01-15T08:00:00Z')`);
    for (const [index, state] of ['retired', 'revoked', 'active'].entries()) {
      await db.execute(sql`
        INSERT INTO authority_keys (id, authority_id, kid, alg, purpose, public_jwk, state, created_at)
        VALUES (${`019baf5e-0000-7000-8000-00000000001${index}`}, '019baf5e-0000-7000-8000-000000000001', ${`was ${state}`},
          'ES256', 'federation', '{}', ${state}, '2027-01-15T08:00:00Z')`);
    }
    await apply('0007_authority_keys');
    const { rows } = await db.execute(sql`
      SELECT kid, state, custody, longest_lifetime_seconds AS longest, activated_at IS NOT NULL AS activated
      FROM authority_keys ORDER BY id`);
    expect(rows).toEqual([
      { kid: 'was retired', state: 'historical', custody: 'sealed', longest: 0, activated: false },
      { kid: 'was revoked', state: 'revoked', custody: 'sealed', longest: 0, activated: false },
      { kid: 'was active', state: 'active', custody: 'sealed', longest: 90 * 86_400, activated: true },
    ]);
  });
});
