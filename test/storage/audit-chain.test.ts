import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withAuditChain } from '../../src/registry/audit/read-chain.ts';
import { verifyAuditChain } from '../../src/registry/audit/verify-chain.ts';
import {
  type AuditContents,
  auditContents,
  chainEarlierRows,
  hashAuditRow,
  parseStoredJson,
  readAuditEnd,
  readAuditRows,
} from '../../src/storage/audit-chain.ts';
import type { Database, Db } from '../../src/storage/connect.ts';
import { MIGRATIONS_FOLDER, migrateDatabase, pendingMigrations } from '../../src/storage/migrate.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { tamper } from '../support/audit.ts';
import { createEmptyPostgresqlDatabase, createTestDatabase, DATABASE_KINDS } from '../support/databases.ts';
import { untilWaiting } from '../support/postgres-locks.ts';
import { openRegistry } from '../support/registry.ts';

const CONTENTS: AuditContents = {
  seq: 1,
  ordinal: 0,
  at: '2027-01-15T08:00:00.000Z',
  actor: { name: 'Ada', kind: 'token' },
  action: 'entity.approve',
  authorityId: null,
  subjectKind: 'entity',
  subjectId: '019baf5e-0000-7000-8000-000000000001',
  before: null,
  after: { b: [1, 0.5], a: 'ü' },
  reason: 'looks "good"',
  requestId: null,
};

describe('the hash of a row', () => {
  it('is over the hash before it, a line feed, and all members as canonical JSON', () => {
    // As Python makes it: json.dumps(contents, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    expect(hashAuditRow('previous', CONTENTS)).toBe('9GEj80iG3zS3AX0GSa4kBCEUudgJhtoZB3pa3wr5d5I');
  });

  it('depends on every member and on the hash before it', () => {
    const hashes = [hashAuditRow('a', CONTENTS), hashAuditRow('b', CONTENTS)];
    for (const member of Object.keys(CONTENTS)) hashes.push(hashAuditRow('a', { ...CONTENTS, [member]: 'changed' }));
    expect(new Set(hashes).size).toBe(hashes.length);
    const reordered = Object.fromEntries(Object.entries(CONTENTS).reverse()) as AuditContents;
    expect(hashAuditRow('a', reordered)).toBe(hashes[0]);
  });
});

describe('a stored number', () => {
  it.each(['0', '-1.5', '1000000000000000000000', '0.0000001', '1e21', '1e+21', '-0.00000000012', '1.5e300'])(
    '%s is one that we write',
    (text) => {
      const isPlain = !/^1e21$|^1\.5e300$/.test(text);
      expect(typeof parseStoredJson(`{"n":${text}}`)).toBe(isPlain ? 'object' : 'string');
    },
  );

  it.each(['5.0', '5.00000000000000000001', '12345678901234567890', '-0', '1e400'])('%s is none', (text) => {
    expect(parseStoredJson(`{"n":${text}}`)).toBe(`{"n":${text}}`);
  });

  it('is not looked for in strings', () => {
    expect(parseStoredJson('{"5.0":"5.0 \\" 5.0"}')).toEqual({ '5.0': '5.0 " 5.0' });
  });
});

describe.each(DATABASE_KINDS)('rows of the audit on %s', (kind) => {
  it('are read as they were hashed, whatever JSON they hold', async () => {
    await using database = await createTestDatabase(kind);
    const rows = fc.sample(jsonObject(), { numRuns: 60, seed: 1 }).map((after, seq) => ({
      ...{ seq, ordinal: 0, at: new Date(1_800_000_000_000 + seq), actor: {}, action: 'test' },
      ...{ subjectKind: 'test', subjectId: 'naïve — 日本 🙂', before: null, after, reason: null, requestId: null },
    }));
    await database.db.insert(audit).values(rows.map((row) => ({ ...row, hash: hashAuditRow('', auditContents(row)) })));
    const read = await readAuditRows(database.db, undefined, 100);
    expect(read).toHaveLength(60);
    for (const { contents, hash } of read) expect(hashAuditRow('', contents)).toBe(hash);
  });
});

/** As a deployment of the version before has it: rows without hashes. */
async function unchain(database: Database): Promise<void> {
  await tamper(database, async (db) => {
    await db.execute(sql`ALTER TABLE audit ALTER COLUMN hash DROP NOT NULL`);
    await db.execute(sql`UPDATE audit SET hash = NULL`);
    await db.update(registryCounter).set({ auditHash: null, auditRows: 0 });
  });
}

describe.each(DATABASE_KINDS)('rows from before the chain, on %s', (kind) => {
  const NO_LOCK = sql`SELECT 1`;

  it('are chained by migrating, as they would have been when they were written', async () => {
    await using registry = await openRegistry(kind);
    await registry.organisation(await registry.authority());
    const [rows, end] = [await registry.auditAfter(), await readAuditEnd(registry.db)];
    await unchain(registry.database);
    expect(await pendingMigrations(registry.database)).toEqual(['0017_audit_chain']);
    await expect(registry.authority()).rejects.toThrow('the audit is not chained yet; run `holdfast migrate`');
    expect(await migrateDatabase(registry.database)).toEqual({ applied: [] });
    expect(await registry.auditAfter()).toEqual(rows);
    expect(await readAuditEnd(registry.db)).toEqual(end);
    expect(await pendingMigrations(registry.database)).toEqual([]);
    await registry.authority();
    expect((await withAuditChain(registry.db, verifyAuditChain)).findings).toEqual([]);
  });

  it('are many, and it breaks off: the next time goes on from there', async () => {
    await using database = await createTestDatabase(kind);
    await database.db.execute(sql`
      INSERT INTO audit (seq, ordinal, at, actor, action, subject_kind, subject_id, hash)
      SELECT seq, ordinal, now(), '{}', 'test', 'test', 'test', '' FROM generate_series(1, 1250) AS seq,
        generate_series(0, 1) AS ordinal`);
    await database.db.update(registryCounter).set({ seq: 1250 });
    await unchain(database);
    let locks = 0;
    const failing = (db: Db) => {
      // Each transaction takes the lock first: the third one fails.
      const lock = { getSQL: () => (++locks > 2 ? sql`SELECT 1 / 0` : NO_LOCK) };
      return chainEarlierRows(db, sql`${lock}`);
    };
    await expect(database.asOwner(failing)).rejects.toThrow();
    expect(await database.db.$count(audit, sql`hash IS NOT NULL`)).toBe(2000);
    expect(await pendingMigrations(database)).toEqual(['0017_audit_chain']);
    await migrateDatabase(database);
    expect(await database.db.$count(audit, sql`hash IS NULL`)).toBe(0);
    const { findings, rows } = await withAuditChain(database.db, verifyAuditChain);
    expect({ findings, rows }).toEqual({ findings: [], rows: 2500 });
  });

  // On the embedded database nobody else is connected.
  if (kind === 'postgresql')
    it('are added by nodes of the version before while the chain is made', async () => {
      await using database = await createEmptyPostgresqlDatabase();
      const apply = async (db: Db, tag: string) => {
        const text = readFileSync(join(MIGRATIONS_FOLDER, `${tag}.sql`), 'utf8');
        for (const statement of text.split('--> statement-breakpoint')) await db.execute(sql.raw(statement));
      };
      await apply(database.db, '0001_registry');
      let migrating: Promise<void> | undefined;
      await database.db.transaction(async (tx) => {
        await tx.execute(sql`UPDATE registry_counter SET seq = seq + 1`);
        migrating = database.asOwner((db) => db.transaction((migration) => apply(migration, '0017_audit_chain')));
        await untilWaiting(database.db);
        await tx.execute(sql`
        INSERT INTO audit (seq, ordinal, at, actor, action, subject_kind, subject_id)
        VALUES (1, 0, now(), '{}', 'test', 'test', 'test')`);
      });
      await migrating;
      expect((await readAuditRows(database.db, undefined, 10)).map(({ contents }) => contents.seq)).toEqual([1]);
    });

  it('get no successor without a hash any more', async () => {
    await using registry = await openRegistry(kind);
    const { id } = await registry.authority();
    const [row] = await registry.auditAfter();
    await unchain(registry.database);
    await migrateDatabase(registry.database);
    const unchained = registry.db.execute(sql`
      INSERT INTO audit (seq, ordinal, at, actor, action, authority_id, subject_kind, subject_id)
      VALUES (2, 0, now(), '{}', ${row?.action}, ${id}, 'test', 'test')`);
    await expect(unchained).rejects.toMatchObject({ cause: { code: '23502' } });
    expect(await registry.db.select().from(audit).where(eq(audit.seq, 2))).toEqual([]);
  });
});

function jsonObject(): fc.Arbitrary<Record<string, string | number | boolean | null | string[]>> {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\0') && each !== '__proto__');
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  return fc.dictionary(text, fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text)), {
    noNullPrototype: true,
  });
}
