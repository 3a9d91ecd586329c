import { sql } from 'drizzle-orm';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobQueue, type JobQueueOptions, type KeyedJob, type PeriodicJob } from '../../src/jobs/job-queue.ts';
import { connectDatabase, type Database } from '../../src/storage/connect.ts';
import { jobRuns } from '../../src/storage/schema/job-runs.ts';
import { sqlErrorOf } from '../../src/storage/sql-error.ts';
import { createTestDatabase, DATABASE_KINDS, type TestDatabase } from '../support/databases.ts';
import { holdJob } from '../support/hold-job.ts';

/** What a queue said to the log, in order. */
type Told = [event: string, ...details: unknown[]];

interface Node {
  queue: JobQueue;
  told: Told[];
  /** How far the clock that is never set is ahead. */
  clock: { aheadMs: number };
}

/** A queue as on a node of its own, that looks when it is told to. */
function nodeOn(database: JobQueueOptions['database'], settings: Partial<JobQueueOptions> = {}): Node {
  const told: Told[] = [];
  const clock = { aheadMs: 0 };
  const telling =
    (event: string) =>
    (...details: unknown[]) =>
      void told.push([event, ...details]);
  const log = {
    jobFailed: telling('failed'),
    jobTakenOver: telling('taken over'),
    jobsGivenUp: telling('given up'),
    jobsStalled: telling('stalled'),
    jobsResumed: telling('resumed'),
    warning: telling('warning'),
  };
  const monotonicMs = () => performance.now() + clock.aheadMs;
  return { queue: new JobQueue({ database, node: 'here', log, monotonicMs, ...settings }), told, clock };
}

function job(name: string, run: PeriodicJob['run'], everySeconds = 60): PeriodicJob {
  return { name, everySeconds, summary: `does ${name}`, run };
}

/** Named after the queue that a migration made. */
function deliverEvents(keys: KeyedJob['keys'], run: KeyedJob['run']): KeyedJob {
  return { name: 'deliver_events', summary: 'delivers', keys, run, lastSucceededAt: async () => null };
}

/** Work that goes on until it is told to end, or let go. */
class LongWork {
  readonly begun: AbortSignal[] = [];
  #letGo: (() => void)[] = [];

  run = async (signal: AbortSignal): Promise<void> => {
    this.begun.push(signal);
    await new Promise<void>((resolve) => {
      this.#letGo.push(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  };

  letGo(): void {
    for (const end of this.#letGo) end();
  }
}

async function startAfter(database: Database, seconds: number): Promise<void> {
  await database.db.execute(sql`
    UPDATE holdfast_jobs.job SET start_after = now() + make_interval(secs => ${seconds}) WHERE state < 'active'`);
}

/** As if nobody had heard of those at work for a minute, nor looked for such. */
async function silence(database: Database): Promise<void> {
  await database.db.execute(sql`UPDATE holdfast_jobs.job SET heartbeat_on = now() - interval '1 minute'`);
  await database.db.execute(sql`UPDATE holdfast_jobs.queue SET monitor_claim_on = NULL, monitor_on = NULL`);
}

describe.each(DATABASE_KINDS)('jobs on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    await database.db.execute(sql`DELETE FROM holdfast_jobs.job`);
    await database.db.delete(jobRuns);
  });

  it('run when they are due and not before, are seen, and run at once for whoever asks', async () => {
    const { queue, told } = nodeOn(database);
    await using _ = queue;
    let runs = 0;
    queue.define({
      periodic: [job('count', async () => void runs++), { ...job('later', fail), firstAfterSeconds: 99 }],
    });
    await queue.look();
    await queue.idle();
    await queue.look();
    await queue.idle();
    expect(runs).toBe(1);
    const [report] = await queue.list();
    expect(report).toMatchObject({ name: 'count', summary: 'does count', failures: 0, runningOn: null, held: 0 });
    const { lastSucceededAt, nextRunAt } = report ?? {};
    const pauseSeconds = (Number(nextRunAt) - Number(lastSucceededAt)) / 1000;
    expect(pauseSeconds).toBe(60);
    await queue.runNow('count');
    await queue.look();
    await queue.idle();
    expect(runs).toBe(2);
    await expect(queue.runNow('nothing')).rejects.toMatchObject({ code: 'not_found' });
    expect(told).toEqual([]);
  });

  it('run once after a time in which nobody was there, however long', async () => {
    const { queue } = nodeOn(database);
    await using _ = queue;
    let runs = 0;
    queue.define({ periodic: [job('count', async () => void runs++)] });
    await queue.look();
    await queue.idle();
    await startAfter(database, -30 * 86_400);
    for (let round = 0; round < 3; round++) {
      await queue.look();
      await queue.idle();
    }
    expect(runs).toBe(2);
  });

  it('that fail are told of once, without what the error quotes, tried again later and later, and forgiven', async () => {
    const { queue, told } = nodeOn(database);
    await using _ = queue;
    let error: Error | undefined = new Error('no route to postgresql://user:hunter2@db');
    const failing = async () => {
      if (error !== undefined) throw error;
    };
    queue.define({ periodic: [job('fail', failing, 300)] });
    const pauses: number[] = [];
    for (let round = 0; round < 4; round++) {
      await startAfter(database, 0);
      await queue.look();
      await queue.idle();
      const [{ lastFailedAt, nextRunAt, failures, lastError } = NONE] = await queue.list();
      pauses.push((Number(nextRunAt) - Number(lastFailedAt)) / 1000);
      expect(failures).toBe(round + 1);
      expect(lastError).toBe('Error; the log says more');
    }
    expect(pauses).toEqual([300, 600, 900, 900]);
    expect(told).toEqual([['failed', error, 'fail']]);
    error = undefined;
    await queue.runNow('fail');
    await queue.look();
    await queue.idle();
    expect(await queue.list()).toMatchObject([{ failures: 0, lastError: 'Error; the log says more' }]);
  });

  it('that are broken off by the stop go on at the next start, and what does not end is left behind', async () => {
    const stopping = nodeOn(database, { stopTimeoutMs: 1 });
    const ends = new LongWork();
    stopping.queue.define({ periodic: [job('ends', ends.run), job('hangs', () => new Promise(() => {}))] });
    await stopping.queue.look();
    await expect.poll(() => ends.begun.length).toBe(1);
    await stopping.queue[Symbol.asyncDispose]();
    expect(stopping.told).toEqual([['given up', expect.arrayContaining(['hangs'])]]);
    await silence(database);
    const after = nodeOn(database);
    await using _ = after.queue;
    const again = [new LongWork(), new LongWork()];
    after.queue.define({ periodic: [job('ends', again[0]?.run ?? fail), job('hangs', again[1]?.run ?? fail)] });
    await expect
      .poll(async () => {
        await after.queue.look();
        return again.map(({ begun }) => begun.length);
      })
      .toEqual([1, 1]);
    expect(after.told).toContainEqual(['taken over', 'hangs']);
  });

  it('with keys go on for each key there is, from when somebody says that there is one more', async () => {
    const { queue } = nodeOn(database);
    await using _ = queue;
    const keys = ['a', 'b'];
    const begun: string[] = [];
    const works = new Map<string, LongWork>();
    const run = async (key: string, signal: AbortSignal) => {
      begun.push(key);
      const work = new LongWork();
      works.set(key, work);
      await work.run(signal);
    };
    queue.define({ keyed: [deliverEvents(async () => keys, run)] });
    await queue.look();
    await expect.poll(() => begun.toSorted()).toEqual(['a', 'b']);
    expect(await queue.list()).toMatchObject([{ name: 'deliver_events', everySeconds: null, held: 2 }]);
    keys.splice(0, 1, 'c');
    queue.keysChanged();
    await queue.look();
    await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'c']);
    works.get('a')?.letGo();
    works.get('b')?.letGo();
    await expect.poll(async () => (await queue.list())[0]?.held).toBe(1);
    queue.keysChanged();
    await queue.look();
    await expect.poll(() => begun.toSorted()).toEqual(['a', 'b', 'b', 'c']);
    await expect(queue.runNow('deliver_events')).rejects.toMatchObject({ code: 'illegal_transition' });
  });

  it('with keys that fail are told of once, whichever key it is, until that is a while ago', async () => {
    const { queue, told } = nodeOn(database);
    await using _ = queue;
    const keys = async () => ['a', 'b', 'c'];
    queue.define({ keyed: [deliverEvents(keys, fail)] });
    await queue.look();
    await queue.idle();
    expect(await queue.list()).toMatchObject([{ failures: 3, state: 'failing' }]);
    await database.db.update(jobRuns).set({ lastFailedAt: new Date(Date.now() - 3_600_000) });
    expect(await queue.list()).toMatchObject([{ failures: 0, state: 'waiting' }]);
    queue.keysChanged();
    await queue.look();
    await queue.idle();
    expect(await queue.list()).toMatchObject([{ failures: 3 }]);
    expect(told.map(([event]) => event)).toEqual(['failed', 'failed']);
  });

  it('with keys last succeeded when a part of one last went well, also while no turn ends', async () => {
    const { queue } = nodeOn(database);
    await using _ = queue;
    const work = new LongWork();
    let lastSucceededAt: Date | null = null;
    const job = deliverEvents(
      async () => ['a'],
      (_key, signal) => work.run(signal),
    );
    queue.define({ keyed: [{ ...job, lastSucceededAt: async () => lastSucceededAt }] });
    expect(await queue.list()).toMatchObject([{ lastSucceededAt: null, lastStartedAt: null }]);
    await queue.look();
    await expect.poll(() => work.begun).toHaveLength(1);
    lastSucceededAt = new Date('2027-01-15T08:00:00Z');
    expect(await queue.list()).toMatchObject([{ lastSucceededAt, lastStartedAt: expect.any(Date), state: 'running' }]);
  });

  it('are forgotten by nodes that do not know them, and planted by those that do', async () => {
    const one = nodeOn(database);
    const other = nodeOn(database);
    await using _one = one.queue;
    await using _other = other.queue;
    let runs = 0;
    one.queue.define({ periodic: [job('mine', async () => void runs++, 0)] });
    await one.queue.look();
    await one.queue.idle();
    await other.queue.look();
    one.queue.keysChanged();
    await one.queue.look();
    await one.queue.idle();
    expect(runs).toBe(2);
  });

  it('have the tables that pg-boss expects', async () => {
    const boss = new PgBoss({
      ...{
        db: { executeSql: (text: string, values?: unknown[]) => database.executeJobSql(text, values) },
        schema: 'holdfast_jobs',
      },
      ...{ migrate: false, supervise: false, schedule: false },
    });
    await boss.start();
    const { ok } = await boss.detectSchemaDrift();
    await boss.stop({ graceful: false });
    expect(ok).toBe(true);
  });

  it('[F52] cannot be given other tables by the service', async () => {
    for (const statement of [
      sql`ALTER TABLE holdfast_jobs.job ADD COLUMN x text`,
      sql`CREATE TABLE holdfast_jobs.mine (x text)`,
      sql`DROP SCHEMA holdfast_jobs CASCADE`,
      sql`UPDATE holdfast_jobs.version SET version = 1`,
    ]) {
      const refused = await database.db.execute(statement).catch((error: unknown) => sqlErrorOf(error)?.code);
      expect(refused).toBe('42501');
    }
  });

  it('wait for a database that is away without a word for each attempt, and go on when it is back', async () => {
    let isAway = true;
    const away: JobQueueOptions['database'] = {
      ...{ kind: database.kind, db: database.db },
      executeJobSql: async (...query) => {
        if (isAway) throw new Error('away');
        return await database.executeJobSql(...query);
      },
    };
    const { queue, told } = nodeOn(away);
    await using _ = queue;
    const { promise: ran, resolve } = Promise.withResolvers<void>();
    queue.define({ periodic: [job('count', async () => resolve())] });
    queue.start();
    await expect.poll(() => told.length).toBe(1);
    for (let attempt = 0; attempt < 3; attempt++) {
      queue.keysChanged();
      await expect(queue.look()).rejects.toThrow('away');
    }
    isAway = false;
    queue.keysChanged();
    await ran;
    await expect.poll(() => told.map(([event]) => event)).toEqual(['stalled', 'resumed']);
  });
});

describe('two nodes on one PostgreSQL', () => {
  let database: TestDatabase;
  let second: Database;
  beforeAll(async () => {
    database = await createTestDatabase('postgresql');
    second = await connectDatabase({ url: database.url ?? '' });
  });
  afterAll(async () => {
    await second[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await database.db.execute(sql`DELETE FROM holdfast_jobs.job`);
    await database.db.delete(jobRuns);
  });

  it('never do the same at once, and one of them does it', async () => {
    const nodes = [nodeOn(database), nodeOn(second)];
    let [atOnce, most, runs] = [0, 0, 0];
    const run = async () => {
      atOnce++;
      most = Math.max(most, atOnce);
      await database.db.execute(sql`SELECT 1`);
      runs++;
      atOnce--;
    };
    for (const { queue } of nodes) queue.define({ periodic: [job('alone', run, 0)] });
    for (let round = 0; round < 20; round++) {
      await Promise.all(nodes.map(({ queue }) => queue.look()));
      await Promise.all(nodes.map(({ queue }) => queue.idle()));
    }
    expect(most).toBe(1);
    expect(runs).toBeGreaterThanOrEqual(20);
    for (const { queue } of nodes) await queue[Symbol.asyncDispose]();
  });

  it('take over from one that is not heard of, which hears that it has lost', async () => {
    const first = nodeOn(database);
    const other = nodeOn(second);
    await using _first = first.queue;
    await using _other = other.queue;
    const lost = new LongWork();
    first.queue.define({ periodic: [job('long', lost.run)] });
    await first.queue.look();
    await expect.poll(() => lost.begun.length).toBe(1);
    let runs = 0;
    other.queue.define({ periodic: [job('long', async () => void runs++)] });
    await other.queue.look();
    await first.queue.beat();
    expect([runs, lost.begun[0]?.aborted]).toEqual([0, false]);
    await expect(other.queue.runNow('long')).rejects.toMatchObject({ code: 'illegal_transition' });
    await silence(database);
    other.clock.aheadMs = 60_000;
    await other.queue.look();
    await other.queue.idle();
    expect([runs, other.told]).toEqual([1, [['taken over', 'long']]]);
    await first.queue.beat();
    await first.queue.idle();
    expect(lost.begun[0]?.aborted).toBe(true);
    const [report] = await other.queue.list();
    expect(report).toMatchObject({ failures: 0, runningOn: null });
    expect(report?.lastSucceededAt).not.toBeNull();
  });

  it('take over from one that was killed', async () => {
    await using held = await holdJob(database.url ?? '', 'killed');
    const { queue, told } = nodeOn(database);
    await using _ = queue;
    let runs = 0;
    queue.define({ periodic: [job('killed', async () => void runs++)] });
    await queue.look();
    await queue.idle();
    expect(runs).toBe(0);
    expect(await queue.list()).toMatchObject([{ runningOn: 'doomed', state: 'running' }]);
    await held.kill();
    await silence(database);
    const after = nodeOn(second);
    await using _after = after.queue;
    after.queue.define({ periodic: [job('killed', async () => void runs++)] });
    await after.queue.look();
    await after.queue.idle();
    expect([runs, after.told, told]).toEqual([1, [['taken over', 'killed']], []]);
  });

  it('end what they do when the database does not confirm it for ten seconds, before another may begin', async () => {
    const node = nodeOn(database);
    await using _ = node.queue;
    const work = new LongWork();
    node.queue.define({ periodic: [job('long', work.run)] });
    await node.queue.look();
    await expect.poll(() => work.begun.length).toBe(1);
    node.clock.aheadMs = 9_000;
    await node.queue.beat();
    node.clock.aheadMs = 18_000;
    await node.queue.beat();
    expect(work.begun[0]?.aborted).toBe(false);
    node.clock.aheadMs = 28_100;
    await node.queue.beat();
    expect(work.begun[0]?.aborted).toBe(true);
  });
});

const NONE = { lastFailedAt: null, nextRunAt: null, failures: 0, lastError: null };

async function fail(): Promise<void> {
  throw new Error('nobody should do this');
}
