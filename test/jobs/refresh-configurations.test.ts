import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { FederationError } from '../../src/federation/errors.ts';
import { ConfigurationRefreshes, type ConfigurationRefreshesOptions } from '../../src/jobs/refresh-configurations.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { claimDue, hastenRefresh, planNext, scheduleNew } from '../../src/registry/entities/keys/refreshes.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { SYSTEM } from '../../src/registry/prepare-deployment.ts';
import { entityRefreshes } from '../../src/storage/schema/entity-refreshes.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { NOW } from '../support/federation.ts';
import { openRegistry, type TestRegistry } from '../support/registry.ts';
import { freshKey, TestSubordinate } from '../support/subordinate-keys.ts';

const HOUR = 3600;
const INTERVAL = 6 * HOUR;

describe.each(DATABASE_KINDS)('the round that refreshes configurations, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let now: number;
  let asked: string[];
  let answers: Map<string, () => Promise<string>>;
  let errors: unknown[];

  beforeEach(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    [now, asked, answers, errors] = [NOW, [], new Map(), []];
  });
  afterEach(async () => {
    expect(errors).toEqual([]);
    await registry[Symbol.asyncDispose]();
  });

  const retrieve: RetrieveConfiguration = async (entity) => {
    asked.push(entity);
    const answer = answers.get(entity);
    if (answer === undefined) throw new FederationError('connection_failed', 'nobody there');
    return await answer();
  };

  const node = (changes: Partial<ConfigurationRefreshesOptions> = {}): ConfigurationRefreshes =>
    new ConfigurationRefreshes({
      db: registry.db,
      changeContext: () => registry.context(SYSTEM, { now: new Date(now * 1000) }),
      retrieveConfiguration: retrieve,
      intervalSeconds: INTERVAL,
      random: () => 0.5,
      onError: (error) => void errors.push(error),
      ...changes,
    });

  /** Publishes what an entity says as it is when it is asked. */
  async function enrol(): Promise<TestSubordinate> {
    const entity = await TestSubordinate.enrol(registry, authority);
    answers.set(entity.entityIdentifier, async () => {
      Object.assign(entity.published.claims, { iat: now, exp: now + HOUR });
      return await entity.published.retrieve(entity.entityIdentifier);
    });
    return entity;
  }

  /** Time passes at our node and, as it were, at the database. */
  async function pass(seconds: number): Promise<void> {
    now += seconds;
    const nextRefreshAt = sql`${entityRefreshes.nextRefreshAt} - make_interval(secs => ${seconds}::double precision)`;
    await registry.db.update(entityRefreshes).set({ nextRefreshAt });
  }

  /** Seconds from the last attempt to the next one. */
  const planOf = async ({ id }: TestSubordinate) => {
    const [plan] = await registry.db.select().from(entityRefreshes).where(eq(entityRefreshes.entityId, id));
    const attemptedAt = plan?.attemptedAt ?? new Date(Number.NaN);
    return (
      plan && { inSeconds: (plan.nextRefreshAt.getTime() - attemptedAt.getTime()) / 1000, failures: plan.failures }
    );
  };

  it('spreads first refreshes over the interval, of active entities that publish', async () => {
    const entities = await Promise.all(Array.from({ length: 12 }, () => enrol()));
    const pending = await TestSubordinate.enrol(registry, authority, 'pending');
    await node().run();
    const { rows } = await registry.db.execute<{ isWithin: boolean; times: number }>(sql`
      select bool_and(next_refresh_at between now() - interval '1 hour' and now() + interval '6 hours') as "isWithin",
        count(distinct next_refresh_at)::int as times
      from entity_refreshes`);
    expect(rows).toEqual([{ isWithin: true, times: entities.length }]);
    expect(await planOf(pending)).toBeUndefined();
  });

  it('[OIDFED-11.2-8] takes in new keys when their time has come, and plans the next time', async () => {
    const entity = await enrol();
    const round = node();
    await round.run();
    const next = await freshKey();
    entity.published.keys = [entity.key, next];
    await pass(INTERVAL + 1);
    await round.run();
    expect(asked.filter((one) => one === entity.entityIdentifier)).toHaveLength(1);
    expect(await entity.proposals()).toEqual({ [next.kid]: 'proposed' });
    expect(await planOf(entity)).toEqual({ inSeconds: INTERVAL, failures: 0 });
  });

  it('waits longer after each failure, at most the interval, and raises a finding until it is cured', async () => {
    const entity = await enrol();
    const answer = answers.get(entity.entityIdentifier);
    answers.clear();
    const round = node();
    await round.run();
    await pass(INTERVAL + 1);
    const waits: unknown[] = [];
    for (let failure = 1; failure <= 8; failure++) {
      await round.run();
      const plan = await planOf(entity);
      waits.push(plan?.inSeconds);
      expect(plan?.failures).toBe(failure);
      await pass(plan?.inSeconds ?? 0);
    }
    expect(waits).toEqual([300, 600, 1200, 2400, 4800, 9600, 19_200, INTERVAL]);
    expect(await entity.findings()).toEqual(['configuration_unavailable']);
    answers.set(entity.entityIdentifier, answer ?? (async () => ''));
    await round.run();
    expect([await planOf(entity), await entity.findings()]).toEqual([{ inSeconds: INTERVAL, failures: 0 }, []]);
  });

  it('asks nothing of an entity that is suspended, and forgets one that is closed', async () => {
    const [suspended, closed] = [await enrol(), await enrol()];
    const round = node();
    await round.run();
    asked = [];
    await transitionEntity(registry.context(), suspended.id, 'suspend', 'x');
    await transitionEntity(registry.context(), closed.id, 'withdraw', 'x');
    await pass(INTERVAL + 1);
    await round.run();
    expect(asked).toEqual([]);
    expect(await planOf(suspended)).toEqual({ inSeconds: INTERVAL, failures: 0 });
    expect(await planOf(closed)).toBeUndefined();
  });

  it('never has two nodes at the same entity', async () => {
    const entities = await Promise.all(Array.from({ length: 20 }, () => enrol()));
    const nodes = [node(), node()];
    await nodes[0]?.run();
    asked = [];
    await pass(INTERVAL + 1);
    await Promise.all(nodes.map((one) => one.run()));
    expect(asked.sort()).toEqual(entities.map(({ entityIdentifier }) => entityIdentifier as string).sort());
  });

  it('leaves what a node took and did not finish to others after a while, whatever its clock says', async () => {
    await enrol();
    await scheduleNew(registry.db, INTERVAL);
    const claim = () => claimDue(registry.db, 10);
    expect(await claim()).toHaveLength(0);
    await pass(INTERVAL);
    expect(await claim()).toHaveLength(1);
    expect(await claim()).toHaveLength(0);
    await pass(300);
    expect(await claim()).toHaveLength(1);
  });

  it('plans nothing for what another node took meanwhile, and keeps what was hastened meanwhile', async () => {
    const entity = await enrol();
    await scheduleNew(registry.db, INTERVAL);
    await pass(INTERVAL);
    const plan = { intervalSeconds: INTERVAL, random: () => 0.5 };
    const claim = async () => {
      const [due] = await claimDue(registry.db, 1);
      if (due === undefined) throw new Error('nothing is due');
      return due;
    };
    const slow = await claim();
    // Only time passes: the database has no two moments in one millisecond.
    const attemptedAt = new Date(slow.attemptedAt.getTime() - 400_000);
    await planNext(registry.db, { ...slow, attemptedAt }, false, plan);
    expect(await planOf(entity)).toEqual({ inSeconds: 300, failures: 0 });
    await registry.db.transaction((tx) => hastenRefresh(tx, entity.id));
    await planNext(registry.db, slow, false, plan);
    expect((await planOf(entity))?.inSeconds).toBeLessThan(300);
    await pass(300);
    await planNext(registry.db, await claim(), false, plan);
    expect(await planOf(entity)).toEqual({ inSeconds: INTERVAL, failures: 0 });
  });

  it('is over when all of it is, also when a part of it fails', async () => {
    // More than one part of the round takes at once.
    await Promise.all(Array.from({ length: 5 }, () => enrol()));
    await node().run();
    await pass(INTERVAL + 1);
    const [failed, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    const round = node({
      retrieveConfiguration: async (subject) => {
        if (++begun === 1) throw new Error('a fault of ours');
        await released.promise;
        return await retrieve(subject);
      },
      onError: (error) => {
        failed.resolve();
        throw error;
      },
    });
    let isOver = false;
    const run = round.run().finally(() => {
      isOver = true;
    });
    const outcome = expect(run).rejects.toThrow('a fault of ours');
    await failed.promise;
    await registry.db.execute(sql`select 1`);
    expect(isOver).toBe(false);
    released.resolve();
    await outcome;
    expect(asked).toHaveLength(begun - 1);
  });

  it('stops when it is told to', async () => {
    await Promise.all(Array.from({ length: 8 }, () => enrol()));
    const round = node();
    await round.run();
    asked = [];
    await pass(INTERVAL + 1);
    const stop = new AbortController();
    stop.abort();
    await round.run(stop.signal);
    expect(asked).toEqual([]);
  });
});
