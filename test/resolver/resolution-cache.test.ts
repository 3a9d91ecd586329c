import { describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { attemptOf } from '../../src/federation/trust-chain/attempt.ts';
import type { ResolveOutcome } from '../../src/resolver/resolution.ts';
import {
  DEFAULT_MAX_AGE_SECONDS,
  DEFAULT_REFUSAL_SECONDS,
  type Evaluate,
  MAX_EVALUATIONS,
  ResolutionCache,
  type ResolutionCacheOptions,
  type ResolutionKey,
} from '../../src/resolver/resolution-cache.ts';
import { ManualClock, NOW } from '../support/federation.ts';

const OP = 'https://op.example' as EntityIdentifier;
const ANCHOR = 'https://anchor.example' as EntityIdentifier;
const KEY: ResolutionKey = { scope: 'authority-1', subject: OP, trustAnchor: ANCHOR };
const NEVER: Evaluate = () => Promise.reject(new Error('must not be evaluated'));

function setUp(options: Partial<ResolutionCacheOptions> = {}): { cache: ResolutionCache; clock: ManualClock } {
  const clock = new ManualClock();
  return { cache: new ResolutionCache({ clock, ...options }), clock };
}

function resolved({ subject = OP, expiresAt = NOW + 600, jwt = 'a.b.c' } = {}): ResolveOutcome {
  return {
    resolved: {
      subject,
      trustAnchor: ANCHOR,
      metadata: {},
      trustChain: [jwt],
      expiresAt,
      oldestAt: NOW,
      freshUntil: Number.POSITIVE_INFINITY,
      trustMarks: [],
      refusedTrustMarks: [],
      dependencies: [],
    },
  };
}

function refused(requests: number): ResolveOutcome {
  const attempt = attemptOf([OP], new FederationError('subject_not_active', 'in a test'));
  return { attempts: [attempt], requests };
}

/** Gives the outcome, says what it rests on, and counts how often it was asked. */
function evaluation(outcome: ResolveOutcome, ...dependencies: string[]): Evaluate & { count: number } {
  const evaluate = Object.assign(
    async ({ onDependency }: Parameters<Evaluate>[0]) => {
      evaluate.count++;
      for (const dependency of dependencies) onDependency(dependency);
      return outcome;
    },
    { count: 0 },
  );
  return evaluate;
}

describe('keeping', () => {
  it('gives what was evaluated until it is dropped', async () => {
    const { cache } = setUp();
    const outcome = resolved();
    expect(cache.peek(KEY)).toBeUndefined();
    expect(await cache.get(KEY, evaluation(outcome))).toBe(outcome);
    expect(await cache.get(KEY, NEVER)).toBe(outcome);
    expect(cache.peek(KEY)).toBe(outcome);
  });

  it.each<[string, Partial<ResolutionKey>]>([
    ['scope', { scope: 'authority-2' }],
    ['subject', { subject: `${OP}/` as EntityIdentifier }],
    ['Trust Anchor', { trustAnchor: `${ANCHOR}/other` as EntityIdentifier }],
  ])('shares nothing with another %s', async (_, other) => {
    const { cache } = setUp();
    await cache.get(KEY, evaluation(resolved()));
    expect(cache.peek({ ...KEY, ...other })).toBeUndefined();
  });

  it('[OIDFED-10.4-2] gives nothing any more at the very second of its expiry', async () => {
    const { cache, clock } = setUp();
    await cache.get(KEY, evaluation(resolved({ expiresAt: NOW + 10 })));
    clock.advance(9);
    expect(cache.peek(KEY)).toBeDefined();
    clock.advance(1);
    expect(cache.peek(KEY)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('[OIDFED-10.4-2] keeps nothing that has expired when it is there', async () => {
    const { cache } = setUp();
    await cache.get(KEY, evaluation(resolved({ expiresAt: NOW })));
    expect(cache.size).toBe(0);
  });

  it('keeps what holds for long no longer than the maximal age', async () => {
    const { cache, clock } = setUp();
    await cache.get(KEY, evaluation(resolved({ expiresAt: NOW + 10 * DEFAULT_MAX_AGE_SECONDS })));
    clock.advance(DEFAULT_MAX_AGE_SECONDS - 1);
    expect(cache.peek(KEY)).toBeDefined();
    clock.advance(1);
    expect(cache.peek(KEY)).toBeUndefined();
  });

  it('keeps a refusal that cost requests for a short time', async () => {
    const { cache, clock } = setUp();
    const outcome = refused(3);
    await cache.get(KEY, evaluation(outcome));
    clock.advance(DEFAULT_REFUSAL_SECONDS - 1);
    expect(await cache.get(KEY, NEVER)).toBe(outcome);
    clock.advance(1);
    expect(cache.peek(KEY)).toBeUndefined();
  });

  it('keeps no refusal that cost nothing', async () => {
    const { cache } = setUp();
    await cache.get(KEY, evaluation(refused(0)));
    expect(cache.size).toBe(0);
  });
});

describe('concurrent questions', () => {
  it('share one evaluation', async () => {
    const { cache } = setUp();
    const evaluate = evaluation(resolved());
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => cache.get(KEY, evaluate)));
    expect(evaluate.count).toBe(1);
    expect(new Set(outcomes).size).toBe(1);
  });

  it('with different keys do not wait for each other', async () => {
    const { cache } = setUp();
    const gate = Promise.withResolvers<ResolveOutcome>();
    const waiting = cache.get(KEY, () => gate.promise);
    const other = resolved();
    expect(await cache.get({ ...KEY, scope: 'authority-2' }, evaluation(other))).toBe(other);
    gate.resolve(resolved());
    await waiting;
  });

  it('share a failure, and the next one asks anew', async () => {
    const { cache } = setUp();
    const fail: Evaluate = () => Promise.reject(new Error('the database is gone'));
    const outcomes = await Promise.allSettled([cache.get(KEY, fail), cache.get(KEY, NEVER)]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the database is gone' } });
    }
    const outcome = resolved();
    expect(await cache.get(KEY, evaluation(outcome))).toBe(outcome);
  });
});

describe('invalidation', () => {
  it('drops what rests on a dependency, and nothing else', async () => {
    const { cache } = setUp();
    const other = { ...KEY, scope: 'authority-2' };
    await cache.get(KEY, evaluation(resolved(), 'shared', 'mine'));
    await cache.get(other, evaluation(resolved(), 'shared', 'theirs'));
    cache.invalidate(['mine', 'unknown']);
    expect(cache.peek(KEY)).toBeUndefined();
    expect(cache.peek(other)).toBeDefined();
    await cache.get(KEY, evaluation(resolved(), 'shared', 'mine'));
    cache.invalidate(['shared']);
    expect(cache.size).toBe(0);
    expect(cache.dependencies).toBe(0);
  });

  it('drops refusals as well', async () => {
    const { cache } = setUp();
    await cache.get(KEY, evaluation(refused(1), 'vouched'));
    cache.invalidate(['vouched']);
    expect(cache.peek(KEY)).toBeUndefined();
  });

  it('while the outcome is evaluated gives everyone who waits the outcome of a new evaluation', async () => {
    const { cache } = setUp();
    const [outdated, current] = [resolved({ jwt: 'outdated' }), resolved({ jwt: 'current' })];
    const gate = Promise.withResolvers<ResolveOutcome>();
    const signals: AbortSignal[] = [];
    const evaluate: Evaluate = ({ onDependency, signal }) => {
      signals.push(signal);
      onDependency('vouched');
      return signals.length === 1 ? gate.promise : Promise.resolve(current);
    };
    const waiting = [cache.get(KEY, evaluate), cache.get(KEY, NEVER)];
    cache.invalidate(['something else']);
    expect(signals[0]?.aborted).toBe(false);
    cache.invalidate(['vouched']);
    expect(signals[0]?.aborted).toBe(true);
    gate.resolve(outdated);
    expect(await Promise.all(waiting)).toEqual([current, current]);
    expect(signals).toHaveLength(2);
    expect(cache.peek(KEY)).toBe(current);
  });

  it('after the last answer but before the outcome is kept counts as well', async () => {
    const { cache } = setUp();
    const outdated = evaluation(resolved({ jwt: 'outdated' }), 'vouched');
    const current = resolved({ jwt: 'current' });
    const outcome = await cache.get(KEY, (work) => {
      if (outdated.count > 0) return Promise.resolve(current);
      const result = outdated(work);
      cache.invalidate(['vouched']);
      return result;
    });
    expect(outcome).toBe(current);
  });

  it('makes an evaluation begin anew that fails because it was aborted', async () => {
    const { cache } = setUp();
    const current = resolved();
    let count = 0;
    const outcome = await cache.get(KEY, async ({ onDependency, signal }) => {
      if (count++ > 0) return current;
      onDependency('vouched');
      cache.invalidate(['vouched']);
      signal.throwIfAborted();
      return refused(1);
    });
    expect(outcome).toBe(current);
  });

  it('that never ceases gives a temporary refusal in the end, never an outdated outcome', async () => {
    const { cache } = setUp();
    let count = 0;
    const outcome = await cache.get(KEY, async ({ onDependency }) => {
      count++;
      onDependency('vouched');
      cache.invalidate(['vouched']);
      return resolved();
    });
    expect(count).toBe(MAX_EVALUATIONS);
    expect(outcome).toMatchObject({ attempts: [{ chain: [OP], reason: 'timed_out', retryable: true }] });
    expect(cache.size).toBe(0);
  });

  it('of everything drops what is kept and what is under way', async () => {
    const { cache } = setUp();
    const other = { ...KEY, scope: 'authority-2' };
    await cache.get(other, evaluation(resolved(), 'vouched'));
    let count = 0;
    await cache.get(KEY, async () => {
      if (count++ === 0) cache.clear();
      return resolved();
    });
    expect(count).toBe(2);
    expect(cache.peek(other)).toBeUndefined();
    expect(cache.dependencies).toBe(0);
  });
});

describe('renewal', () => {
  const renewed = resolved({ jwt: 'd.e.f', expiresAt: NOW + 1200 });

  it('happens behind the scenes when most of the time is over, once for all who ask', async () => {
    const { cache, clock } = setUp({ random: () => 0 });
    await cache.get(KEY, evaluation(resolved({ expiresAt: NOW + 100 })));
    clock.advance(69);
    const evaluate = evaluation(renewed);
    cache.peek(KEY, evaluate);
    expect(evaluate.count).toBe(0);
    clock.advance(1);
    expect(cache.peek(KEY, evaluate)).toMatchObject({ resolved: { expiresAt: NOW + 100 } });
    cache.peek(KEY, evaluate);
    expect(await cache.get(KEY, evaluate)).toMatchObject({ resolved: { expiresAt: NOW + 100 } });
    await expect.poll(() => cache.peek(KEY)).toBe(renewed);
    expect(evaluate.count).toBe(1);
  });

  it('asks for statements that are not about to be stale themselves', async () => {
    const { cache, clock } = setUp({ random: () => 0 });
    const refreshes: boolean[] = [];
    const evaluate: Evaluate = async ({ isRefresh }) => {
      refreshes.push(isRefresh);
      return resolved({ expiresAt: clock.now() + 100 });
    };
    await cache.get(KEY, evaluate);
    clock.advance(70);
    cache.peek(KEY, evaluate);
    await expect.poll(() => refreshes).toEqual([false, true]);
  });

  it('that only trouble on the way prevents leaves what holds, and is tried again after a pause', async () => {
    const { cache, clock } = setUp({ random: () => 0 });
    const kept = resolved({ expiresAt: NOW + 100 });
    await cache.get(KEY, evaluation(kept));
    const attempt = attemptOf([OP], new FederationError('connection_failed', 'in a test'));
    const failing = evaluation({ attempts: [attempt], requests: 1 });
    clock.advance(70);
    cache.peek(KEY, failing);
    await expect.poll(() => failing.count).toBe(1);
    clock.advance(4);
    expect(cache.peek(KEY, failing)).toBe(kept);
    expect(failing.count).toBe(1);
    clock.advance(1);
    cache.peek(KEY, failing);
    await expect.poll(() => failing.count).toBe(2);
    clock.advance(25);
    expect(cache.peek(KEY)).toBeUndefined();
  });

  it.each([0, 1])('that finds a definite refusal ends what was kept at once (%i requests)', async (requests) => {
    const { cache, clock } = setUp({ random: () => 0 });
    await cache.get(KEY, evaluation(resolved({ expiresAt: NOW + 100 })));
    clock.advance(70);
    const evaluate = evaluation(refused(requests));
    cache.peek(KEY, evaluate);
    await expect.poll(() => Object.keys(cache.peek(KEY) ?? {})).not.toContain('resolved');
  });

  it('never reaches beyond what the statements are fresh for', async () => {
    const { cache, clock } = setUp();
    const outcome = resolved({ expiresAt: NOW + 600 });
    if ('resolved' in outcome) outcome.resolved.freshUntil = NOW + 60;
    await cache.get(KEY, evaluation(outcome));
    clock.advance(59);
    expect(cache.peek(KEY)).toBe(outcome);
    clock.advance(1);
    expect(cache.peek(KEY)).toBeUndefined();
  });
});

describe('memory', () => {
  it('stays within its bytes, drops the least recently used, and forgets what those rested on', async () => {
    const { cache } = setUp({ maxBytes: 100_000 });
    const keyOf = (index: number): ResolutionKey => ({ ...KEY, scope: `authority-${index}` });
    const jwt = 'x'.repeat(10_000);
    for (let index = 0; index < 100; index++) {
      await cache.get(keyOf(index), evaluation(resolved({ jwt }), `statement ${index}`));
      expect(cache.bytes).toBeLessThanOrEqual(100_000);
      if (index > 0) expect(cache.peek(keyOf(index - 1))).toBeDefined();
    }
    expect(cache.size).toBeGreaterThan(5);
    expect(cache.size).toBeLessThan(10);
    expect(cache.dependencies).toBe(cache.size);
  });

  it('keeps nothing that is larger than the whole cache', async () => {
    const { cache } = setUp({ maxBytes: 5000 });
    const outcome = resolved({ jwt: 'x'.repeat(10_000) });
    expect(await cache.get(KEY, evaluation(outcome, 'vouched'))).toBe(outcome);
    expect(cache.size).toBe(0);
    expect(cache.dependencies).toBe(0);
  });
});
