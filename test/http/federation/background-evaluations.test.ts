import { describe, expect, it } from 'vitest';
import { FederationError, type Reason } from '../../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { attemptOf } from '../../../src/federation/trust-chain/attempt.ts';
import {
  BackgroundEvaluations,
  type BackgroundEvaluationsOptions,
} from '../../../src/http/federation/background-evaluations.ts';
import type { ResolutionRequest } from '../../../src/http/federation/resolutions.ts';
import type { ResolveOutcome } from '../../../src/resolver/resolution.ts';
import { ManualClock } from '../../support/federation.ts';

const [ONE, TWO] = ['https://one.example', 'https://two.example'] as EntityIdentifier[];

function question(name: string | number, anchors: (EntityIdentifier | undefined)[] = [ONE]): ResolutionRequest {
  const trustAnchors = new Map(anchors.map((anchor) => [anchor as EntityIdentifier, { keys: [] }]));
  return { scope: 'authority', subject: `https://${name}.example` as EntityIdentifier, trustAnchors };
}

function refusedFor(reason: Reason): ResolveOutcome {
  return { attempts: [attemptOf([ONE as EntityIdentifier], new FederationError(reason, 'by a test'))], requests: 1 };
}

/** Evaluations that end when the test says so. */
function setUp(budget: BackgroundEvaluationsOptions['budget'] = {}) {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const running: { subject: string; end: (outcome: ResolveOutcome) => void; fail: (error: Error) => void }[] = [];
  const send: (() => void)[] = [];
  const background = new BackgroundEvaluations({
    clock,
    budget,
    onError: (error) => errors.push(error),
    resolve: ({ subject }, onRequest) => {
      const { promise, resolve, reject } = Promise.withResolvers<ResolveOutcome>();
      running.push({ subject, end: resolve, fail: reject });
      send.push(() => onRequest('https://any.example/', false));
      return promise;
    },
  });
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { background, clock, errors, running, send, settled };
}

describe('evaluations in the background', () => {
  it('run few at a time, each once, in the order of the questions', async () => {
    const { background, running, settled } = setUp({ concurrency: 2 });
    for (const name of ['a', 'b', 'a', 'c', 'b', 'c']) expect(background.enqueue(question(name))).toBe(true);
    expect([running.map(({ subject }) => subject), background.underWay]).toEqual([
      ['https://a.example', 'https://b.example'],
      3,
    ]);
    running[0]?.end(refusedFor('entity_not_found'));
    await settled();
    expect(running.map(({ subject }) => subject)).toEqual([
      'https://a.example',
      'https://b.example',
      'https://c.example',
    ]);
    expect([background.isUnderWay(question('a')), background.isUnderWay(question('c'))]).toEqual([false, true]);
  });

  it('wait in bounded number', () => {
    const { background } = setUp({ concurrency: 1, maxQueued: 2 });
    const queued = Array.from({ length: 5 }, (_, index) => background.enqueue(question(index)));
    expect([queued, background.underWay]).toEqual([[true, true, true, false, false], 3]);
  });

  it('are one for all Trust Anchors of a question, in whichever order it names them', async () => {
    const { background, running, settled } = setUp();
    background.enqueue(question('a', [ONE, TWO]));
    background.enqueue(question('a', [TWO, ONE]));
    expect([running.length, background.isUnderWay(question('a', [TWO, ONE]))]).toEqual([1, true]);
    running[0]?.end(refusedFor('no_authority_hints'));
    await settled();
    expect(background.knownRefusal(question('a', [TWO, ONE]))).toMatchObject({ wire: 'invalid_trust_chain' });
  });

  it('are told apart by Trust Anchor', async () => {
    const { background, running, settled } = setUp();
    background.enqueue(question('a', [ONE]));
    background.enqueue(question('a', [TWO]));
    expect(running).toHaveLength(2);
    running[0]?.end(refusedFor('no_authority_hints'));
    await settled();
    expect(background.knownRefusal(question('a', [ONE, TWO]))).toBeUndefined();
    expect(background.knownRefusal(question('a', [ONE]))).toMatchObject({ wire: 'invalid_trust_chain' });
    running[1]?.end(refusedFor('server_unavailable'));
    await settled();
    expect(background.knownRefusal(question('a', [ONE, TWO]))).toMatchObject({ wire: 'temporarily_unavailable' });
  });

  it('wait once for a subject, whichever Trust Anchors are named', () => {
    const { background } = setUp({ concurrency: 1 });
    background.enqueue(question('a', [ONE]));
    background.enqueue(question('b', [ONE]));
    for (const anchors of [[TWO], [ONE, TWO]]) expect(background.enqueue(question('b', anchors))).toBe(true);
    expect(background.underWay).toBe(2);
  });

  it('at once are counted each, also where only the order of Trust Anchors differs', () => {
    const { background, running } = setUp({ concurrency: 2 });
    for (const name of ['a', 'b']) {
      for (const anchors of [
        [ONE, TWO],
        [TWO, ONE],
      ])
        void background.evaluate(question(name, anchors));
    }
    expect([running.length, background.underWay]).toEqual([2, 2]);
  });

  it('that wait still do when something changed', async () => {
    const { background, running, settled } = setUp({ concurrency: 1 });
    for (const name of ['a', 'b']) background.enqueue(question(name));
    background.forget();
    running[0]?.end(refusedFor('entity_not_found'));
    await settled();
    expect(running.map(({ subject }) => subject)).toEqual(['https://a.example', 'https://b.example']);
  });

  it('at once are shared only by questions with one order of preference', () => {
    const { background, running } = setUp();
    for (const anchors of [
      [ONE, TWO],
      [TWO, ONE],
      [ONE, TWO],
    ])
      void background.evaluate(question('a', anchors));
    expect(running).toHaveLength(2);
  });

  it('send no more requests than allowed, and give back what they did not need', async () => {
    const { background, clock, running, send, settled } = setUp({ requestsPerMinute: 20, requestsPerEvaluation: 5 });
    for (const name of ['a', 'b', 'c']) background.enqueue(question(name));
    expect(running).toHaveLength(2);
    for (let count = 0; count < 5; count++) send[0]?.();
    expect(() => send[0]?.()).toThrow('too many requests');
    running[0]?.end(refusedFor('entity_not_found'));
    await settled();
    expect(running).toHaveLength(2);
    running[1]?.end(refusedFor('entity_not_found'));
    await settled();
    expect(running).toHaveLength(3);
    expect(await background.evaluate(question('d'))).toBeUndefined();
    expect(background.secondsUntilAllowed()).toBe(30);
    clock.advance(30);
    void background.evaluate(question('d'));
    expect(running).toHaveLength(4);
  });

  it('take what they need in portions, so that a few that need much do not keep all others waiting', async () => {
    const { background, running, send } = setUp({ requestsPerMinute: 100, requestsPerEvaluation: 40 });
    for (const name of ['a', 'b', 'c', 'd']) background.enqueue(question(name));
    expect(running).toHaveLength(3);
    for (let count = 0; count < 16; count++) send[0]?.();
    expect(() => send[0]?.()).toThrow('too many requests are sent for anonymous callers');
  });

  it('are shared by all who ask the same at once', async () => {
    const { background, running } = setUp({ requestsPerMinute: 20, requestsPerEvaluation: 5 });
    const outcomes = Array.from({ length: 10 }, () => background.evaluate(question('a')));
    expect(running).toHaveLength(1);
    const outcome = refusedFor('entity_not_found');
    running[0]?.end(outcome);
    expect(await Promise.all(outcomes)).toEqual(Array(10).fill(outcome));
  });

  it('go on by themselves when the budget allows it', async () => {
    const { background, clock, running, send } = setUp({ requestsPerMinute: 10, requestsPerEvaluation: 5 });
    background.enqueue(question('a'));
    for (let count = 0; count < 5; count++) send[0]?.();
    background.enqueue(question('b'));
    running[0]?.end(refusedFor('entity_not_found'));
    clock.advance(60);
    await expect.poll(() => running.length).toBe(2);
  });

  it('remember in bounded memory what did not resolve', () => {
    const { background } = setUp({ negativeBytes: 10_000 });
    for (let count = 0; count < 10_000; count++) {
      background.remember(question(count), refusedFor('entity_not_found'));
    }
    const known = Array.from({ length: 10_000 }, (_, index) => background.knownRefusal(question(index)));
    expect(known.filter((refusal) => refusal !== undefined).length).toBeLessThan(50);
    expect(known.at(-1)).toMatchObject({ wire: 'not_found' });
  });

  it('whose ground changed meanwhile say nothing of the present', async () => {
    const { background, running, settled } = setUp();
    background.enqueue(question('a'));
    background.forget();
    running[0]?.end(refusedFor('entity_not_found'));
    await settled();
    expect(background.knownRefusal(question('a'))).toBeUndefined();
  });

  it('that fail are reported unless that passes, and hold up no other', async () => {
    const { background, errors, running, settled } = setUp({ concurrency: 1 });
    for (const name of ['a', 'b', 'c']) background.enqueue(question(name));
    const bug = new Error('a bug');
    const outage = Object.assign(new Error('no connection'), { code: 'ECONNREFUSED' });
    for (const error of [bug, outage]) {
      running.at(-1)?.fail(error);
      await settled();
    }
    expect([errors, running.length, background.isUnderWay(question('a'))]).toEqual([[bug], 3, false]);
  });

  it('start no more once stopped', async () => {
    const { background, running, settled } = setUp({ concurrency: 1 });
    for (const name of ['a', 'b']) background.enqueue(question(name));
    background[Symbol.dispose]();
    running[0]?.end(refusedFor('entity_not_found'));
    await settled();
    background.enqueue(question('c'));
    expect(running).toHaveLength(1);
  });
});
