import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RetrieveConfiguration } from '../../src/enrolment/configuration-checks.ts';
import { FederationError } from '../../src/federation/errors.ts';
import { ConfigurationRefreshes } from '../../src/jobs/refresh-configurations.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { claimDue, scheduleNew } from '../../src/registry/entities/keys/refreshes.ts';
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

  const node = (): ConfigurationRefreshes =>
    new ConfigurationRefreshes({
      db: registry.db,
      changeContext: () => registry.context(SYSTEM, { now: new Date(now * 1000) }),
      retrieveConfiguration: retrieve,
      intervalSeconds: INTERVAL,
      random: () => 0.5,
      onError: (error) => void errors.push(error),
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

  const planOf = async ({ id }: TestSubordinate) => {
    const [plan] = await registry.db.select().from(entityRefreshes).where(eq(entityRefreshes.entityId, id));
    return plan && { inSeconds: plan.nextRefreshAt.getTime() / 1000 - now, failures: plan.failures };
  };

  it('spreads first refreshes over the interval, of active entities that publish', async () => {
    const entities = await Promise.all(Array.from({ length: 12 }, () => enrol()));
    const pending = await TestSubordinate.enrol(registry, authority, 'pending');
    await node().run();
    const times = await Promise.all(entities.map(async (entity) => (await planOf(entity))?.inSeconds ?? Number.NaN));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(INTERVAL);
    expect(new Set(times).size).toBe(times.length);
    expect(await planOf(pending)).toBeUndefined();
  });

  it('[OIDFED-11.2-8] takes in new keys when their time has come, and plans the next time', async () => {
    const entity = await enrol();
    const round = node();
    await round.run();
    const next = await freshKey();
    entity.published.keys = [entity.key, next];
    now += INTERVAL + 1;
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
    now += INTERVAL + 1;
    const waits: unknown[] = [];
    for (let failure = 1; failure <= 8; failure++) {
      await round.run();
      const plan = await planOf(entity);
      waits.push(plan?.inSeconds);
      expect(plan?.failures).toBe(failure);
      now += plan?.inSeconds ?? 0;
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
    now += INTERVAL + 1;
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
    now += INTERVAL + 1;
    await Promise.all(nodes.map((one) => one.run()));
    expect(asked.sort()).toEqual(entities.map(({ entityIdentifier }) => entityIdentifier as string).sort());
  });

  it('leaves what a node took and did not finish to others after a while', async () => {
    await enrol();
    await scheduleNew(registry.db, new Date(now * 1000), INTERVAL);
    await registry.db
      .update(entityRefreshes)
      .set({ nextRefreshAt: sql`${entityRefreshes.nextRefreshAt} - interval '1 day'` });
    const claim = (at: number) => claimDue(registry.db, new Date(at * 1000), 10, 300);
    expect(await claim(now)).toHaveLength(1);
    expect(await claim(now + 299)).toHaveLength(0);
    expect(await claim(now + 300)).toHaveLength(1);
  });

  it('stops when it is told to', async () => {
    await Promise.all(Array.from({ length: 8 }, () => enrol()));
    const round = node();
    await round.run();
    asked = [];
    now += INTERVAL + 1;
    const stop = new AbortController();
    stop.abort();
    await round.run(stop.signal);
    expect(asked).toEqual([]);
  });
});
