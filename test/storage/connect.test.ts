import { inspect } from 'node:util';
import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectDatabase, type Database } from '../../src/storage/connect.ts';
import { DatabaseUnreachable } from '../../src/storage/postgresql.ts';
import { apiTokens } from '../../src/storage/schema/api-tokens.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { authorities } from '../../src/storage/schema/authorities.ts';
import { deployment } from '../../src/storage/schema/deployment.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { sqlErrorOf, UNIQUE_VIOLATION } from '../../src/storage/sql-error.ts';
import { emptyAudit } from '../support/audit.ts';
import { createTestDatabase, DATABASE_KINDS, type TestDatabase } from '../support/databases.ts';
import { terminateConnections } from '../support/postgres-connections.ts';

const AUTHORITY_ID = '0b6bd5c4-77b2-4f0f-9c3a-6f5c1f0a9a01';
const NOW = new Date('2026-11-21T22:55:00.123Z');

describe.each(DATABASE_KINDS)('%s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  afterEach(async () => {
    await emptyAudit(database);
    await database.db.delete(apiTokens);
    await database.db.delete(authorities);
    await database.db.delete(deployment);
  });

  const token = {
    id: AUTHORITY_ID,
    name: 'token',
    tokenHash: new Uint8Array(32),
    roles: ['admin' as const],
    createdAt: NOW,
    expiresAt: NOW,
  };

  it('keeps the bytes of a bytea', async () => {
    const tokenHash = Uint8Array.from({ length: 256 }, (_, index) => index);
    await database.db.insert(apiTokens).values({ ...token, tokenHash });
    const [byValue] = await database.db.select().from(apiTokens).where(eq(apiTokens.tokenHash, tokenHash));
    expect(byValue?.tokenHash).toStrictEqual(tokenHash);
    await database.db.update(apiTokens).set({ tokenHash: tokenHash.subarray(250) });
    const [part] = await database.db.select().from(apiTokens);
    expect(part?.tokenHash).toStrictEqual(new Uint8Array([250, 251, 252, 253, 254, 255]));
  });

  it('keeps the value of a jsonb, as JSON and not as a string of it', async () => {
    const values = fc.sample(fc.dictionary(jsonText(), jsonValue(), { noNullPrototype: true }), {
      numRuns: 50,
      seed: 1,
    });
    for (const metadata of [{}, { '1': 'a', text: '"quoted"', number: '12' }, ...values]) {
      await database.db.insert(authorities).values({
        id: AUTHORITY_ID,
        entityIdentifier: 'https://anchor.example',
        location: 'anchor.example',
        name: 'Anchor',
        authorityHints: ['https://superior.example', '5'],
        metadata,
        defaultMetadataPolicy: {},
        configurationLifetimeSeconds: 1,
        statementLifetimeSeconds: 1,
        resolveLifetimeSeconds: 1,
        version: 1,
        createdAt: NOW,
      });
      const [row] = await database.db.select().from(authorities);
      expect(row?.metadata).toEqual(metadata);
      expect(row?.authorityHints).toEqual(['https://superior.example', '5']);
      expect(row?.defaultConstraints).toBeNull();
      await database.db.delete(authorities);
    }
    await database.db.insert(apiTokens).values(token);
    const { rows } = await database.db.execute<{ type: string; first: string }>(
      sql`SELECT jsonb_typeof(roles) AS type, roles ->> 0 AS first FROM api_tokens WHERE roles @> '["admin"]'`,
    );
    expect(rows).toEqual([{ type: 'array', first: 'admin' }]);
  });

  it('keeps a bigint as a number up to the largest safe one', async () => {
    await database.db.transaction(async (tx) => {
      await tx.update(registryCounter).set({ seq: Number.MAX_SAFE_INTEGER });
      const [counter] = await tx.select().from(registryCounter);
      expect(counter?.seq).toBe(Number.MAX_SAFE_INTEGER);
      await tx.update(registryCounter).set({ seq: 0 });
    });
  });

  it('keeps a timestamptz as a Date to the millisecond', async () => {
    await database.db.insert(deployment).values({ id: 1, masterKeyCheck: 'x', createdAt: NOW });
    const [row] = await database.db.select().from(deployment).where(eq(deployment.createdAt, NOW));
    expect(row).toStrictEqual({ id: 1, masterKeyCheck: 'x', createdAt: NOW });
  });

  it('keeps text, uuid, integer and boolean, and null apart from what is empty', async () => {
    const row = {
      seq: 1,
      ordinal: -2_147_483_648,
      at: NOW,
      actor: {},
      action: 'naïve — 日本 🙂 \\ \' "',
      authorityId: null,
      subjectKind: '',
      subjectId: '',
      before: null,
      after: {},
      reason: null,
      requestId: '',
      hash: '',
    };
    await database.db.insert(audit).values(row);
    expect(await database.db.select().from(audit)).toStrictEqual([{ ...row, writtenAt: expect.any(Date) }]);
    const { rows } = await database.db.execute<{ flag: boolean; id: string }>(
      sql`SELECT true AS flag, ${AUTHORITY_ID}::uuid AS id`,
    );
    expect(rows).toEqual([{ flag: true, id: AUTHORITY_ID }]);
  });

  it('names the violated constraint', async () => {
    await database.db.insert(apiTokens).values(token);
    const again = database.db.insert(apiTokens).values({ ...token, id: 'a5f8b7a0-50c7-4d7a-a3a4-3f4a0c9e5b11' });
    const error = await again.then(
      () => undefined,
      (cause) => cause,
    );
    expect(sqlErrorOf(error)).toEqual({ code: UNIQUE_VIOLATION, constraint: 'api_tokens_token_hash_key' });
    expect(sqlErrorOf(new Error('of another kind'))).toBeUndefined();
  });

  it('rolls back when the transaction throws, and passes the error on', async () => {
    const error = new Error('changed my mind');
    const attempt = database.db.transaction(async (tx) => {
      await tx.insert(apiTokens).values(token);
      throw error;
    });
    await expect(attempt).rejects.toBe(error);
    expect(await database.db.select().from(apiTokens)).toEqual([]);
  });

  it('rolls back one savepoint and keeps the rest', async () => {
    await database.db.transaction(async (tx) => {
      await tx.insert(deployment).values({ id: 1, masterKeyCheck: 'x', createdAt: NOW });
      const inner = tx.transaction(async (savepoint) => {
        await savepoint.insert(apiTokens).values(token);
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
    });
    expect(await database.db.select().from(apiTokens)).toEqual([]);
    expect(await database.db.select().from(deployment)).toHaveLength(1);
  });

  it('does not report a transaction as committed that a swallowed error has undone', async () => {
    const attempt = database.db.transaction(async (tx) => {
      await tx.insert(apiTokens).values(token);
      await tx.execute(sql`SELECT 1 / 0`).then(undefined, () => {});
    });
    await expect(attempt).rejects.toThrow();
    expect(await database.db.select().from(apiTokens)).toEqual([]);
  });

  it('hears notifications once they are committed, until it stops listening', async () => {
    const heard: string[] = [];
    const unlisten = await database.listen('Changes-of-test', (payload) => heard.push(payload));
    await expect(
      database.db.transaction(async (tx) => {
        await tx.execute(sql`SELECT pg_notify('Changes-of-test', 'undone')`);
        throw new Error('undo');
      }),
    ).rejects.toThrow('undo');
    await database.db.execute(sql`SELECT pg_notify('Changes-of-test', 'kept')`);
    await expect.poll(() => heard).toEqual(['kept']);
    await unlisten();
    await database.db.execute(sql`SELECT pg_notify('Changes-of-test', 'late')`);
    expect(heard).toEqual(['kept']);
  });

  it('can be disposed of twice', async () => {
    const another = await createTestDatabase(kind);
    await another[Symbol.asyncDispose]();
    await another[Symbol.asyncDispose]();
    await expect(another.db.select().from(audit)).rejects.toThrow();
  });
});

describe('postgresql', () => {
  it('reads times alike whatever the database has set by default', async () => {
    await using database = await createTestDatabase('postgresql');
    const url = database.url ?? '';
    const settings = sql`
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database());
        EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Kolkata''', current_database());
      END $$`;
    await database.asOwner((db) => db.execute(settings));
    await using another = await connectDatabase({ url });
    await another.db.insert(deployment).values({ id: 1, masterKeyCheck: 'x', createdAt: NOW });
    expect((await another.db.select().from(deployment))[0]?.createdAt).toStrictEqual(NOW);
  });

  it('has limits of time, except for the owner', async () => {
    await using database = await createTestDatabase('postgresql');
    const limits = sql`
      SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS statement,
        current_setting('idle_in_transaction_session_timeout') AS idle`;
    expect((await database.db.execute(limits)).rows).toEqual([{ name: 'holdfast', statement: '15s', idle: '30s' }]);
    const dedicated = await database.asOwner((db) => db.execute(limits));
    expect(dedicated.rows).toEqual([{ name: 'holdfast', statement: '0', idle: '0' }]);
  });

  it('opens no more connections than allowed', async () => {
    await using database = await createTestDatabase('postgresql');
    await using narrow = await connectDatabase({ url: database.url ?? '', maxConnections: 2 });
    const backends = await Promise.all(
      Array.from({ length: 20 }, () => narrow.db.execute<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)),
    );
    expect(new Set(backends.map(({ rows }) => rows[0]?.pid)).size).toBeLessThanOrEqual(2);
  });

  it('survives the loss of every connection, idle, in a query and between two queries of a transaction', async () => {
    await using database = await createTestDatabase('postgresql');
    await using narrow = await connectDatabase({ url: database.url ?? '', maxConnections: 2 });
    for (let round = 0; round < 3; round++) {
      const inQuery = narrow.db.transaction((tx) => tx.execute(sql`SELECT pg_sleep(60)`));
      const between = narrow.db.transaction(async (tx) => {
        await tx.insert(audit).values(auditRow(round));
        await terminateConnections(database);
        await tx.insert(audit).values(auditRow(100 + round));
      });
      const outcomes = await Promise.allSettled([inQuery, between]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      await expect.poll(() => narrow.db.select().from(audit).catch(String)).toEqual([]);
    }
    const many = Array.from({ length: 8 }, (_, index) =>
      narrow.db.transaction((tx) => tx.insert(audit).values(auditRow(index))),
    );
    await Promise.all(many);
    expect(await narrow.db.$count(audit)).toBe(8);
  });

  it('listens again after the loss of its connection', async () => {
    await using database = await createTestDatabase('postgresql');
    await using listener = await connectDatabase({ url: database.url ?? '' });
    const heard = new Set<string>();
    const unlisten = await listener.listen('changes', (payload) => heard.add(payload));
    await terminateConnections(database);
    await expect
      .poll(async () => {
        await database.db.execute(sql`SELECT pg_notify('changes', 'again')`);
        return [...heard];
      })
      .toEqual(['again']);
    await unlisten();
  });

  it.each([
    ['a wrong password', (url: URL) => (url.password = 'wr0ng-s3cret'), /is wrong \(28P01\)$/],
    ['a missing database', (url: URL) => (url.pathname = '/missing'), /the database does not exist \(3D000\)$/],
    [
      'a closed port',
      (url: URL) => (url.port = '1'),
      /on 127\.0\.0\.1:1: the connection was refused \(ECONNREFUSED\)$/,
    ],
    [
      'a server without TLS',
      (url: URL) => (url.search = 'sslmode=verify-full'),
      /: The server does not support SSL connections$/,
    ],
    ['an unreadable CA', (url: URL) => (url.search = 'sslrootcert=/missing.pem'), /\/missing\.pem' \(ENOENT\)$/],
    ['an unknown host', (url: URL) => (url.hostname = 'host.invalid'), /on host\.invalid:\d+: /],
  ])('names host and database, and no secret, on %s', async (_, change, message) => {
    const url = new URL(inject('postgresUrl'));
    url.username = 'postgres';
    change(url);
    const error = await connectionError(url.href);
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`"${url.pathname.slice(1)}" on ${url.host}`);
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain(url.password);
  });

  it.each(['not a url wr0ng-s3cret', 'https://user:wr0ng-s3cret@host/database', ''])(
    'refuses %j as a database URL',
    async (url) => {
      const error = await connectionError(url);
      expect(error.message).toMatch(/^the database URL is not of the form/);
      expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain('s3cret');
    },
  );
});

async function connectionError(url: string): Promise<Error> {
  const outcome: Database | unknown = await connectDatabase({ url }).catch((error: unknown) => error);
  if (outcome instanceof DatabaseUnreachable) return outcome;
  throw new Error(`not refused: ${inspect(outcome)}`);
}

function auditRow(seq: number): typeof audit.$inferInsert {
  return { seq, ordinal: 0, at: NOW, actor: {}, action: 'test', subjectKind: 'test', subjectId: 'test', hash: '' };
}

/** Text that JSON and PostgreSQL both hold: neither NUL nor half a surrogate pair, and no `__proto__`. */
function jsonText(): fc.Arbitrary<string> {
  return fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && text !== '__proto__');
}

function jsonValue(): fc.Arbitrary<string | number | boolean | null | string[] | Record<string, string>> {
  return fc.oneof(
    jsonText(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(jsonText()),
    fc.dictionary(jsonText(), jsonText(), { noNullPrototype: true }),
  );
}
