import { describe, expect, it } from 'vitest';
import { pruneRetrievedStatements, RetrievedStatements } from '../../src/storage/retrieved-statements.ts';
import { retrievedStatements } from '../../src/storage/schema/retrieved-statements.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { openRegistry } from '../support/registry.ts';

const NOW = 1_800_000_000;
const statement = { jwt: 'a.b.c', etag: '"1"', retrievedAt: NOW, freshUntil: NOW + 60, expiresAt: NOW + 3600 };
const name = { issuer: 'https://anchor.example', subject: 'https://op.example' };

describe.each(DATABASE_KINDS)('retrieved statements on %s', (kind) => {
  it('are read as they were written, by full identifiers', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    await store.write(name, statement);
    expect(await store.read(name)).toEqual(statement);
    expect(await store.read({ ...name, subject: 'https://op.example/' })).toBeUndefined();
    await store.write(name, { ...statement, etag: undefined, retrievedAt: NOW + 1 });
    expect(await store.read(name)).toEqual({ ...statement, etag: undefined, retrievedAt: NOW + 1 });
  });

  it('are not replaced by what another node retrieved earlier', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    await store.write(name, statement);
    await store.write(name, { ...statement, jwt: 'd.e.f', retrievedAt: NOW - 1 });
    expect(await store.read(name)).toEqual(statement);
    await store.remove(name);
    expect(await store.read(name)).toBeUndefined();
  });

  it('may be about identifiers as long as they come', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    const long = `https://${'a'.repeat(60)}.example/${'b'.repeat(10_000)}`;
    await store.write({ issuer: long, subject: long }, statement);
    expect(await store.read({ issuer: long, subject: long })).toEqual(statement);
  });

  it('leave when they have expired, and the oldest when there are too many', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    const write = (subject: string, retrievedAt: number, expiresAt: number) =>
      store.write({ ...name, subject }, { ...statement, retrievedAt, expiresAt });
    const kept = async () =>
      (await registry.db.select({ subject: retrievedStatements.subject }).from(retrievedStatements))
        .map(({ subject }) => subject)
        .sort();
    await write('expired', NOW - 100, NOW - 1);
    for (const age of [1, 2, 3, 4]) await write(`age ${age}`, NOW - age, NOW + 100);
    await pruneRetrievedStatements(registry.db, new Date(NOW * 1000));
    expect(await kept()).toEqual(['age 1', 'age 2', 'age 3', 'age 4']);
    await pruneRetrievedStatements(registry.db, new Date(NOW * 1000), 2 * statement.jwt.length);
    expect(await kept()).toEqual(['age 1', 'age 2']);
  });
});
