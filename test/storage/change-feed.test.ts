import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type ChangeFeedOptions,
  createChangeFeed,
  type RegistryChange,
  StaleStateError,
} from '../../src/storage/change-feed.ts';
import { connectDatabase, type Database } from '../../src/storage/connect.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { emptyAudit, tamper } from '../support/audit.ts';
import { createTestDatabase, DATABASE_KINDS, type TestDatabase } from '../support/databases.ts';
import { terminateConnections } from '../support/postgres-connections.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { commitChange } from '../support/registry-changes.ts';

/** For tests in which polling must not be what finds a change. */
const NEVER_MS = 3_600_000;
const PATIENCE = { timeout: 15_000, interval: 20 };

/** Disposes of it after the test, the last opened first. */
function opened<T extends { [Symbol.asyncDispose](): Promise<void> }>(resource: T): T {
  onTestFinished(() => resource[Symbol.asyncDispose]());
  return resource;
}

/** A started feed that records what it is given; the registry's errors end up in `errors`. */
async function follow(database: Database, options: Partial<ChangeFeedOptions> = {}) {
  const changes: RegistryChange[] = [];
  const errors: unknown[] = [];
  const feed = opened(
    createChangeFeed({
      database,
      onChanges: (batch) => void changes.push(...batch),
      onError: (error) => errors.push(error),
      pollIntervalMs: NEVER_MS,
      ...options,
    }),
  );
  await feed.start();
  return { feed, changes, errors };
}

describe.each(DATABASE_KINDS)('the change feed on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  beforeEach(async () => {
    await emptyAudit(database);
    await database.db.update(registryCounter).set({ seq: 0 });
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('begins after what the registry holds already', async () => {
    await commitChange(database.db);
    await commitChange(database.db);
    const { feed, changes } = await follow(database);
    expect(feed.seq).toBe(2);
    expect(feed.isCurrent()).toBe(true);
    await commitChange(database.db, { subjectId: 'third' });
    await feed.catchUp();
    expect(changes.map(({ seq, subjectId }) => [seq, subjectId])).toEqual([[3, 'third']]);
  });

  it('gives a writer its own change, every row of it in order', async () => {
    const { feed, changes } = await follow(database);
    const seq = await commitChange(database.db, { subjectId: 'mine', rows: 3 });
    await feed.catchUp(seq);
    expect(feed.seq).toBe(seq);
    expect(changes).toStrictEqual(
      [0, 1, 2].map((ordinal) => ({
        seq,
        ordinal,
        action: 'test',
        authorityId: null,
        subjectKind: 'test',
        subjectId: 'mine',
      })),
    );
  });

  it('hears of a change by its notification', async () => {
    const { feed } = await follow(database);
    const seq = await commitChange(database.db);
    await expect.poll(() => feed.seq, PATIENCE).toBe(seq);
  });

  it('finds a change by polling when its notification is lost', async () => {
    const { feed } = await follow(database, { pollIntervalMs: 10 });
    const seq = await commitChange(database.db, { notify: false });
    await expect.poll(() => feed.seq, PATIENCE).toBe(seq);
  });

  it('advances its seq after the changes were taken over, not before', async () => {
    const { promise: taken, resolve: takeOver } = Promise.withResolvers<void>();
    const { promise: offered, resolve: offer } = Promise.withResolvers<void>();
    const { feed } = await follow(database, {
      onChanges: () => {
        offer();
        return taken;
      },
    });
    const seq = await commitChange(database.db, { notify: false });
    const caughtUp = feed.catchUp(seq);
    await offered;
    expect(feed.seq).toBe(seq - 1);
    takeOver();
    await caughtUp;
    expect(feed.seq).toBe(seq);
  });

  it('offers changes again that were not taken over, and reports that once', async () => {
    const offers: number[][] = [];
    let refuse = true;
    const { feed, errors } = await follow(database, {
      onChanges: (batch) => {
        offers.push(batch.map(({ seq }) => seq));
        if (refuse) throw new Error('not now');
      },
    });
    await commitChange(database.db, { notify: false });
    await expect(feed.catchUp()).rejects.toThrow('not now');
    await expect(feed.catchUp(1)).rejects.toThrow('not now');
    expect(feed.seq).toBe(0);
    expect(errors).toEqual([new Error('not now')]);
    refuse = false;
    await feed.catchUp(1);
    expect(offers).toEqual([[1], [1], [1]]);
    expect(errors).toHaveLength(1);
  });

  it('reads what was committed before the call, even while an older reading is under way', async () => {
    const { promise: taken, resolve: takeOver } = Promise.withResolvers<void>();
    const { promise: offered, resolve: offer } = Promise.withResolvers<void>();
    const { feed } = await follow(database, {
      onChanges: () => {
        offer();
        return taken;
      },
    });
    await commitChange(database.db, { notify: false });
    const older = feed.catchUp();
    await offered;
    await commitChange(database.db, { notify: false });
    const newer = feed.catchUp();
    takeOver();
    await older;
    await newer;
    expect(feed.seq).toBe(2);
  });

  it('serves any number of callers with at most two readings', async () => {
    let queries = 0;
    const feedDb = new Proxy(database.feedDb, {
      get(target, name, receiver) {
        if (name === 'select') queries++;
        return Reflect.get(target, name, receiver);
      },
    });
    const { feed } = await follow({ ...database, feedDb });
    queries = 0;
    await Promise.all(Array.from({ length: 50 }, () => feed.catchUp()));
    expect(queries).toBeGreaterThanOrEqual(1);
    expect(queries).toBeLessThanOrEqual(2);
  });

  it('answers without a reading if the seq is reached, and refuses one that does not exist', async () => {
    const { feed } = await follow(database);
    const seq = await commitChange(database.db);
    await feed.catchUp(seq);
    await feed.catchUp(seq - 1);
    await expect(feed.catchUp(seq + 1)).rejects.toThrow(StaleStateError);
    await expect(feed.catchUp(seq + 1)).rejects.toThrow('the registry is at seq 1 and does not have 2 yet');
  });

  it('takes over a large gap in batches of whole changes', async () => {
    const batches: RegistryChange[][] = [];
    const { feed } = await follow(database, { onChanges: (batch) => void batches.push(batch) });
    await database.db.execute(sql`
      INSERT INTO audit (seq, ordinal, at, actor, action, subject_kind, subject_id, hash)
      SELECT seq, ordinal, now(), '{}', 'test', 'test', 'test', 'test'
      FROM generate_series(1, 2500) AS seq, generate_series(0, 1) AS ordinal`);
    await database.db.update(registryCounter).set({ seq: 2500 });
    await feed.catchUp();
    expect(feed.seq).toBe(2500);
    expect(batches.map((batch) => batch.length)).toEqual([2000, 2000, 1000]);
    expect(batches.flat().map(({ seq, ordinal }) => [seq, ordinal])).toEqual(
      Array.from({ length: 5000 }, (_, index) => [Math.floor(index / 2) + 1, index % 2]),
    );
  });

  it('counts its age from when the question was sent', async () => {
    let nowMs = 5_000;
    let handlingMs = 400;
    const { feed } = await follow(database, {
      monotonicMs: () => nowMs,
      onChanges: () => {
        nowMs += handlingMs;
      },
    });
    nowMs += 999;
    expect(feed.isCurrent()).toBe(true);
    nowMs += 1;
    expect(feed.isCurrent()).toBe(false);
    await feed.ensureCurrent();
    expect(feed.isCurrent()).toBe(true);

    await commitChange(database.db, { notify: false });
    await feed.catchUp();
    nowMs += 599;
    expect(feed.isCurrent()).toBe(true);
    nowMs += 1;
    expect(feed.isCurrent()).toBe(false);

    handlingMs = 1_000;
    await commitChange(database.db, { notify: false });
    await expect(feed.ensureCurrent()).rejects.toThrow(StaleStateError);
    await feed.ensureCurrent();
    expect(feed.isCurrent()).toBe(true);
  });

  it('[F44] counts the time that the machine was paused, and believes no clock that was set back', async () => {
    const clocks = { monotonicMs: 1_000, wallMs: 1_800_000_000_000 };
    const { feed } = await follow(database, { monotonicMs: () => clocks.monotonicMs, wallMs: () => clocks.wallMs });
    clocks.monotonicMs += 100;
    clocks.wallMs += 100;
    expect(feed.ageMs).toBe(100);
    clocks.wallMs += 3_600_000;
    expect(feed.ageMs).toBe(3_600_100);
    expect(feed.isCurrent()).toBe(false);
    await feed.ensureCurrent();
    expect(feed.ageMs).toBe(0);
    clocks.wallMs -= 7_200_000;
    clocks.monotonicMs += 300;
    expect(feed.ageMs).toBe(300);
  });

  it('stays current by polling', async () => {
    let nowMs = 0;
    const { feed } = await follow(database, { monotonicMs: () => nowMs, pollIntervalMs: 10 });
    nowMs += 5_000;
    await expect.poll(() => feed.isCurrent(), PATIENCE).toBe(true);
  });

  it('is current again after the event loop was blocked', async () => {
    const { feed, errors } = await follow(database, { pollIntervalMs: 5, maxAgeMs: 200 });
    for (let round = 0; round < 3; round++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      expect(feed.isCurrent()).toBe(false);
      await expect.poll(() => feed.ensureCurrent().then(() => 'current', String), PATIENCE).toBe('current');
    }
    expect(errors).toEqual([]);
  });

  it('refuses to go on if a change is missing from the audit', async () => {
    const { feed, errors } = await follow(database);
    await commitChange(database.db, { notify: false });
    await commitChange(database.db, { notify: false });
    await tamper(database, (db) => db.delete(audit).where(eq(audit.seq, 1)));
    await expect(feed.catchUp()).rejects.toThrow('change 1 of the registry is missing from the audit');
    expect(feed.seq).toBe(0);
    expect(errors).toHaveLength(1);
  });

  it('refuses to go on if the registry has gone back in time', async () => {
    await commitChange(database.db);
    await commitChange(database.db);
    let nowMs = 0;
    const { feed } = await follow(database, { monotonicMs: () => nowMs });
    await database.db.update(registryCounter).set({ seq: 1 });
    await expect(feed.catchUp()).rejects.toThrow('the registry went back from seq 2 to 1');
    nowMs += 1_000;
    await expect(feed.ensureCurrent()).rejects.toThrow(StaleStateError);
  });

  it('keeps the order, without a gap, among 20 writers at once', async () => {
    const { feed, changes, errors } = await follow(database, { pollIntervalMs: 5 });
    const others = database.url === undefined ? database : opened(await connectDatabase({ url: database.url }));
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      const seqs: number[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const { db } = turn % 2 === 0 ? database : others;
        const seq = await commitChange(db, { subjectId: `${writer}/${turn}`, rows: 2, notify: writer % 2 === 0 });
        await feed.catchUp(seq);
        expect(feed.seq).toBeGreaterThanOrEqual(seq);
        expect(changes.some((change) => change.seq === seq && change.subjectId === `${writer}/${turn}`)).toBe(true);
        seqs.push(seq);
      }
      return seqs;
    });
    const seqs = (await Promise.all(writers)).flat();
    expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(changes.map(({ seq, ordinal }) => [seq, ordinal])).toEqual(
      Array.from({ length: 200 }, (_, index) => [Math.floor(index / 2) + 1, index % 2]),
    );
    expect(errors).toEqual([]);
  });

  it('gives nothing more once disposed of', async () => {
    const { feed, changes } = await follow(database, { pollIntervalMs: 5 });
    await feed[Symbol.asyncDispose]();
    await feed[Symbol.asyncDispose]();
    const seq = await commitChange(database.db);
    await expect(feed.catchUp(seq)).rejects.toThrow('the change feed is not running');
    expect(changes).toEqual([]);
  });

  it('is started once, and knows nothing before', async () => {
    const feed = opened(createChangeFeed({ database, onChanges: () => {}, onError: () => {} }));
    expect(feed.isCurrent()).toBe(false);
    await expect(feed.ensureCurrent()).rejects.toThrow(StaleStateError);
    await feed.start();
    await expect(feed.start()).rejects.toThrow('the change feed was started before');
  });
});

describe('the change feed of one node among several', () => {
  it('gives what another node wrote', async () => {
    const database = opened(await createTestDatabase('postgresql'));
    const other = opened(await connectDatabase({ url: database.url ?? '' }));
    const here = await follow(database);
    const there = await follow(other);
    await commitChange(other.db, { subjectId: 'there' });
    await commitChange(database.db, { subjectId: 'here' });
    await expect.poll(() => [here.feed.seq, there.feed.seq], PATIENCE).toEqual([2, 2]);
    expect(here.changes.map(({ subjectId }) => subjectId)).toEqual(['there', 'here']);
    expect(there.changes).toEqual(here.changes);
  });

  it('survives the loss of all its connections', async () => {
    const database = opened(await createTestDatabase('postgresql'));
    const { feed, changes } = await follow(database, { pollIntervalMs: 20 });
    for (let round = 1; round <= 3; round++) {
      expect(await terminateConnections(database)).toBeGreaterThanOrEqual(2);
      await expect
        .poll(() => commitChange(database.db, { notify: false }).then(String, String), PATIENCE)
        .toMatch(/^\d+$/);
      await expect.poll(() => feed.seq, PATIENCE).toBe(round);
      await expect.poll(() => feed.ensureCurrent().then(() => 'current', String), PATIENCE).toBe('current');
    }
    expect(changes.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('hears notifications again after the loss of all its connections', async () => {
    const database = opened(await createTestDatabase('postgresql'));
    const { feed } = await follow(database);
    await terminateConnections(database);
    await expect
      .poll(
        () =>
          commitChange(database.db)
            .catch(String)
            .then(() => feed.seq),
        PATIENCE,
      )
      .toBeGreaterThan(1);
  });

  it('is stale, and says so in time, while the database does not answer', async () => {
    const database = opened(await createTestDatabase('postgresql'));
    const other = opened(await connectDatabase({ url: database.url ?? '', role: 'owner' }));
    const { feed } = await follow(database, { maxAgeMs: 150, pollIntervalMs: 20 });
    await other.db.transaction(async (tx) => {
      await tx.execute(sql`LOCK TABLE registry_counter IN ACCESS EXCLUSIVE MODE`);
      await expect.poll(() => feed.isCurrent(), PATIENCE).toBe(false);
      const askedAtMs = performance.now();
      await expect(feed.ensureCurrent()).rejects.toThrow(StaleStateError);
      expect(performance.now() - askedAtMs).toBeLessThan(3_000);
    });
    await expect.poll(() => feed.isCurrent(), PATIENCE).toBe(true);
  });

  it('is stale while the server is gone, reports each outage once, and recovers', async () => {
    const server = opened(await startPostgresServer());
    const database = opened(await connectDatabase({ url: server.url, role: 'owner' }));
    await migrateDatabase(database);
    const { feed, changes, errors } = await follow(database, { maxAgeMs: 200, pollIntervalMs: 10 });
    for (let outage = 1; outage <= 2; outage++) {
      await server.stop();
      await expect.poll(() => feed.isCurrent(), PATIENCE).toBe(false);
      for (let attempt = 0; attempt < 5; attempt++) {
        await expect(feed.ensureCurrent()).rejects.toThrow(StaleStateError);
      }
      expect(errors).toHaveLength(outage);
      await server.start();
      await expect.poll(() => feed.isCurrent(), PATIENCE).toBe(true);
      await feed.catchUp(await commitChange(database.db));
      expect(changes.map(({ seq }) => seq)).toEqual(Array.from({ length: outage }, (_, index) => index + 1));
    }
  });
});
