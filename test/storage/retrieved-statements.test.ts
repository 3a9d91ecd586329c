import { describe, expect, it } from 'vitest';
import { pruneRetrievedStatements, RetrievedStatements } from '../../src/storage/retrieved-statements.ts';
import { retrievedStatements } from '../../src/storage/schema/retrieved-statements.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { openRegistry } from '../support/registry.ts';

const NOW = 1_800_000_000;
const statement = { jwt: 'a.b.c', etag: '"1"', retrievedAt: NOW, freshUntil: NOW + 60, expiresAt: NOW + 3600 };
const name = { issuer: 'https://anchor.example', subject: 'https://op.example' };
const removedAt = (time: number) => ({ removedAt: time, forgettableAt: time + 3600 });

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
    await store.remove(name, removedAt(NOW));
    expect(await store.read(name)).toBeUndefined();
  });

  it('do not come back when a node writes late what it retrieved up to their removal, and do when it is newer', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    await store.write(name, statement);
    await store.remove(name, removedAt(NOW + 10));
    for (const retrievedAt of [NOW, NOW + 9, NOW + 10]) {
      await store.write(name, { ...statement, retrievedAt });
      expect(await store.read(name)).toBeUndefined();
    }
    await store.write(name, { ...statement, retrievedAt: NOW + 11 });
    expect(await store.read(name)).toEqual({ ...statement, retrievedAt: NOW + 11 });
    const rows = await registry.db.select().from(retrievedStatements);
    expect(rows).toMatchObject([{ issuer: name.issuer, subject: name.subject }]);
  });

  it('are not removed by whoever was refused before they were retrieved', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    await store.write(name, statement);
    await store.remove(name, removedAt(NOW - 1));
    expect(await store.read(name)).toEqual(statement);
  });

  it('leave no trace of their removal once nothing older could be fresh, and a bounded one before', async () => {
    await using registry = await openRegistry(kind);
    const store = new RetrievedStatements(registry.db);
    for (const [subject, time] of [
      ['old', NOW - 3600],
      ['new', NOW - 20],
      ['newest', NOW - 10],
    ] as const) {
      await store.remove({ ...name, subject }, removedAt(time));
    }
    const times = async () =>
      (await registry.db.select().from(retrievedStatements)).map(({ retrievedAt }) => retrievedAt.getTime() / 1000);
    await pruneRetrievedStatements(registry.db, new Date((NOW + 1) * 1000));
    expect((await times()).sort()).toEqual([NOW - 20, NOW - 10]);
    await pruneRetrievedStatements(registry.db, new Date(NOW * 1000), 300);
    expect(await times()).toEqual([NOW - 10]);
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
