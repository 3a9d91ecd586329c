import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/federation/trust-chain/attempt.ts';
import { MAX_DEAD_ENDS } from '../../../src/federation/trust-chain/dead-ends.ts';
import { type Discovery, discoverTrustChains } from '../../../src/federation/trust-chain/discover.ts';
import {
  DEFAULT_DISCOVERY_BUDGET,
  type DiscoveryBudget,
} from '../../../src/federation/trust-chain/discovery-budget.ts';
import type { ChainTest } from '../../../src/federation/trust-chain/early-choice.ts';
import { GraphSource, type Hints, id, nameOf } from '../../support/graph-source.ts';

interface Setting {
  anchors?: string[];
  budget?: Partial<DiscoveryBudget>;
  signal?: AbortSignal;
  isValid?: ChainTest;
}

function discover(
  source: GraphSource,
  { anchors = ['anchor'], budget, signal = new AbortController().signal, isValid }: Setting = {},
): Promise<Discovery> {
  return discoverTrustChains(id('op'), { source, trustAnchors: new Set(anchors.map(id)), budget, signal, isValid });
}

/** Chains as `op anchor>op anchor`. */
function chainsOf(discovery: Discovery): string[] {
  return discovery.chains.map((chain) => chain.map(({ jwt }) => jwt).join(' '));
}

/** Chains as the entities on them: `op anchor`. */
function waysOf(discovery: Discovery): string[] {
  return discovery.chains.map((chain) =>
    chain
      .slice(0, chain.length > 1 ? -1 : 1)
      .map(({ claims }) => nameOf(claims.iss))
      .join(' '),
  );
}

/** Attempts as `op dead: entity_not_found at Entity Configuration`. */
function endsOf({ attempts }: Discovery): string[] {
  return attempts.map(({ chain, reason, at }: Attempt) => `${chain.map(nameOf).join(' ')}: ${reason} at ${at}`);
}

describe('chains', () => {
  it('[OIDFED-10.1-1] goes up hint by hint and gives configuration, statements upward, configuration of the anchor', async () => {
    const source = new GraphSource({ op: ['lower'], lower: ['upper'], upper: ['anchor'], anchor: [] });
    const discovery = await discover(source);
    expect(chainsOf(discovery)).toEqual(['op lower>op upper>lower anchor>upper anchor']);
    expect(discovery.attempts).toEqual([]);
  });

  it("[OIDFED-4-1] puts no configuration of an Intermediate into a chain, and the anchor's own at the end", async () => {
    const source = new GraphSource({ op: ['lower'], lower: ['anchor'], anchor: [] });
    const [chain] = (await discover(source)).chains;
    expect(chain?.map(({ claims }) => [nameOf(claims.iss), nameOf(claims.sub)])).toEqual([
      ['op', 'op'],
      ['lower', 'op'],
      ['anchor', 'lower'],
      ['anchor', 'anchor'],
    ]);
  });

  it('lists all ways, by the place of the first superior among the hints, then by length', async () => {
    const source = new GraphSource({
      op: ['far', 'near', 'anchor'],
      far: ['farther', 'near'],
      farther: ['near'],
      near: ['anchor'],
      anchor: [],
    });
    expect(waysOf(await discover(source))).toEqual([
      'op far near anchor',
      'op far farther near anchor',
      'op near anchor',
      'op anchor',
    ]);
  });

  it('finds the ways to several Trust Anchors', async () => {
    const source = new GraphSource({ op: ['left', 'right'], left: ['a'], right: ['b', 'a'], a: [], b: [] });
    expect(waysOf(await discover(source, { anchors: ['a', 'b'] }))).toEqual(['op left a', 'op right b', 'op right a']);
  });

  it('[OIDFED-4.1-1] ends a chain at a Trust Anchor that has superiors, without looking at these', async () => {
    const source = new GraphSource({ op: ['anchor'], anchor: ['above'], above: [] });
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op anchor']);
    expect(discovery.attempts).toEqual([]);
    expect(source.asked).not.toContain('above');
  });

  it('[OIDFED-10.1-6] ends at a Trust Anchor with superiors and goes on to another one above it', async () => {
    const source = new GraphSource({ op: ['lower'], lower: ['middle'], middle: ['upper'], upper: [] });
    const anchors = ['lower', 'upper'];
    expect(waysOf(await discover(source, { anchors }))).toEqual(['op lower', 'op lower middle upper']);
  });

  it('gives one configuration when the subject is a Trust Anchor', async () => {
    const source = new GraphSource({ op: [] });
    const discovery = await discover(source, { anchors: ['op'] });
    expect(chainsOf(discovery)).toEqual(['op']);
    expect(discovery.attempts).toEqual([]);
  });

  it('gives that configuration and the ways above it when the subject is one of several Trust Anchors', async () => {
    const source = new GraphSource({ op: ['anchor'], anchor: [] });
    expect(chainsOf(await discover(source, { anchors: ['op', 'anchor'] }))).toEqual(['op', 'op anchor>op anchor']);
  });
});

describe('requests', () => {
  it('[OIDFED-10.1-3] asks for each configuration and each statement once, however many ways lead there', async () => {
    const source = new GraphSource({
      op: ['left', 'right'],
      left: ['join'],
      right: ['join'],
      join: ['anchor'],
      anchor: [],
    });
    expect(waysOf(await discover(source))).toEqual(['op left join anchor', 'op right join anchor']);
    expect(source.asked.toSorted()).toEqual([
      'anchor',
      'anchor>join',
      'join',
      'join>left',
      'join>right',
      'left',
      'left>op',
      'op',
      'right',
      'right>op',
    ]);
  });

  it('asks for no statement where no Trust Anchor was met above', async () => {
    const source = new GraphSource({ op: ['foreign', 'anchor'], foreign: ['stranger'], stranger: [], anchor: [] });
    await discover(source);
    expect(source.asked).not.toContain('foreign>op');
    expect(source.asked).not.toContain('stranger>foreign');
  });

  it('asks all superiors side by side', async () => {
    const source = new GraphSource({ op: ['a', 'b', 'c'], a: ['anchor'], b: ['anchor'], c: ['anchor'], anchor: [] });
    const releases = ['a', 'b', 'c'].map((name) => source.hold(name));
    const discovering = discover(source);
    await expect.poll(() => source.asked).toEqual(['op', 'a', 'b', 'c']);
    for (const release of releases) release();
    expect(waysOf(await discovering)).toHaveLength(3);
  });

  it('asks for the statements of a chain side by side once its Trust Anchor was met', async () => {
    const source = new GraphSource({ op: ['lower'], lower: ['anchor'], anchor: [] });
    const releases = ['lower>op', 'anchor>lower'].map((name) => source.hold(name));
    const discovering = discover(source);
    await expect.poll(() => source.asked).toEqual(['op', 'lower', 'anchor', 'lower>op', 'anchor>lower']);
    for (const release of releases) release();
    expect(waysOf(await discovering)).toEqual(['op lower anchor']);
  });
});

describe('dead ends', () => {
  it('[OIDFED-10.1-5] gives no chain and the reason when the subject names no superior', async () => {
    const discovery = await discover(new GraphSource({ op: [] }));
    expect(discovery.chains).toEqual([]);
    expect(endsOf(discovery)).toEqual(['op: no_authority_hints at Entity Configuration /authority_hints']);
  });

  it('says that the subject itself was not found', async () => {
    const discovery = await discover(new GraphSource({}));
    expect(discovery).toMatchObject({
      chains: [],
      attempts: [
        {
          chain: [id('op')],
          reason: 'entity_not_found',
          section: '9',
          at: 'Entity Configuration',
          message: 'op fails',
        },
      ],
    });
  });

  it('[OIDFED-10.1-2] ignores hints that lead to unknown Trust Anchors only, and says so', async () => {
    const source = new GraphSource({
      op: ['foreign', 'anchor'],
      foreign: ['stranger'],
      stranger: [],
      anchor: [],
    });
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op anchor']);
    expect(endsOf(discovery)).toEqual([
      'op foreign stranger: trust_anchor_unknown at Entity Configuration /authority_hints',
    ]);
  });

  it('keeps the place inside a refused configuration and marks what may pass', async () => {
    const source = new GraphSource({ op: ['expired', 'down', 'anchor'], anchor: [] });
    source.fail('down', 'connection_failed');
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op anchor']);
    expect(endsOf(discovery)).toEqual([
      'op expired: entity_not_found at Entity Configuration',
      'op down: connection_failed at Entity Configuration',
    ]);
    expect(discovery.attempts.map(({ retryable }) => retryable)).toEqual([undefined, true]);
  });

  it('drops a link whose statement is refused and names both ends of it', async () => {
    const source = new GraphSource({ op: ['left', 'right'], left: ['anchor'], right: ['anchor'], anchor: [] });
    source.fail('anchor>left', 'subject_not_active');
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op right anchor']);
    expect(endsOf(discovery)).toEqual(['op left anchor: subject_not_active at Subordinate Statement']);
  });

  it('gives no chain when the Trust Anchor itself does not answer', async () => {
    const source = new GraphSource({ op: ['anchor'] });
    source.fail('anchor', 'timed_out');
    const discovery = await discover(source);
    expect(discovery.chains).toEqual([]);
    expect(endsOf(discovery)).toEqual(['op anchor: timed_out at Entity Configuration']);
  });

  it('hands on what is no refusal: a bug or an outage of our own', async () => {
    const source = new GraphSource({ op: ['left', 'anchor'], anchor: [] });
    source.fail('left', new Error('the database is gone'));
    source.hold('anchor');
    await expect(discover(source)).rejects.toThrow('the database is gone');
    expect(source.signal?.aborted, 'what is under way ends with it').toBe(true);
  });
});

describe('loops', () => {
  it('[OIDFED-10.1-4] drops a hint that closes a loop and goes on with the others', async () => {
    const source = new GraphSource({ op: ['lower'], lower: ['upper'], upper: ['lower', 'anchor'], anchor: [] });
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op lower upper anchor']);
    expect(endsOf(discovery)).toEqual([
      'op lower upper lower: trust_chain_loop at Entity Configuration /authority_hints/0',
    ]);
  });

  it.each<[string, Hints, string]>([
    ['a self-hint', { op: ['op', 'anchor'], anchor: [] }, 'op op'],
    ['a hint back to the subject', { op: ['lower', 'anchor'], lower: ['op'], anchor: [] }, 'op lower op'],
    ['a self-hint of a superior', { op: ['lower', 'anchor'], lower: ['lower'], anchor: [] }, 'op lower lower'],
  ])('[OIDFED-10.1-4] drops %s without asking for a statement about it', async (_, hints, loop) => {
    const source = new GraphSource(hints);
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op anchor']);
    expect(endsOf(discovery)).toEqual([`${loop}: trust_chain_loop at Entity Configuration /authority_hints/0`]);
    expect(source.asked.filter((what) => what.includes('>'))).toEqual(['anchor>op']);
  });

  it('gives an attempt even if all that there is are loops between entities reached otherwise', async () => {
    const discovery = await discover(new GraphSource({ op: ['a', 'b'], a: ['b'], b: ['a'] }));
    expect(discovery.chains).toEqual([]);
    expect(endsOf(discovery)).toEqual(['op a b a: trust_chain_loop at Entity Configuration /authority_hints/0']);
  });

  it('finds both ways when two superiors name each other, and no chain with a loop', async () => {
    const source = new GraphSource({ op: ['a', 'b'], a: ['b', 'anchor'], b: ['a', 'anchor'], anchor: [] });
    expect(waysOf(await discover(source))).toEqual(['op a anchor', 'op a b anchor', 'op b anchor', 'op b a anchor']);
  });
});

describe('wall clock', () => {
  it('uses the chains that are complete when the time is up, and says what was still missing', async () => {
    const clock = new AbortController();
    const source = new GraphSource({ op: ['slow', 'good'], slow: ['anchor'], good: ['anchor'], anchor: [] });
    source.hold('slow');
    const discovering = discover(source, { signal: clock.signal });
    await expect.poll(() => source.asked).toContain('good>op');
    clock.abort();
    expect(source.signal?.aborted).toBe(true);
    const discovery = await discovering;
    expect(waysOf(discovery)).toEqual(['op good anchor']);
    expect(endsOf(discovery)).toEqual(['op slow: timed_out at Entity Configuration']);
    expect(discovery.attempts[0]?.retryable).toBe(true);
  });

  it('says that a statement was still missing', async () => {
    const clock = new AbortController();
    const source = new GraphSource({ op: ['anchor'], anchor: [] });
    source.hold('anchor>op');
    const discovering = discover(source, { signal: clock.signal });
    await expect.poll(() => source.asked).toContain('anchor>op');
    clock.abort();
    expect(endsOf(await discovering)).toEqual(['op anchor: timed_out at Subordinate Statement']);
  });

  it('asks for nothing when the time is up from the start', async () => {
    const source = new GraphSource({ op: ['anchor'], anchor: [] });
    const discovery = await discover(source, { signal: AbortSignal.abort() });
    expect(source.asked).toEqual([]);
    expect(endsOf(discovery)).toEqual(['op: timed_out at Entity Configuration']);
  });

  it('gives the same whether failures after the end of time are refusals or not', async () => {
    const clock = new AbortController();
    const source = new GraphSource({ op: ['slow'] });
    source.fail('slow', new Error('aborted'));
    const release = source.hold('slow');
    const discovering = discover(source, { signal: clock.signal });
    await expect.poll(() => source.asked).toContain('slow');
    clock.abort();
    release();
    expect(endsOf(await discovering)).toEqual(['op slow: timed_out at Entity Configuration']);
  });
});

describe('a choice before all answers are there', () => {
  const everyChain: ChainTest = async () => true;

  /** Whether discovery waits for an answer when all others are there. */
  async function waitsFor(missing: string, hints: Hints, setting: Setting = {}): Promise<boolean> {
    const source = new GraphSource(hints);
    const release = source.hold(missing);
    let isOver = false;
    const discovering = discover(source, { isValid: everyChain, ...setting }).then(() => {
      isOver = true;
    });
    await setImmediate();
    expect(source.asked).toContain(missing);
    const hasWaited = !isOver;
    release();
    await discovering;
    return hasWaited;
  }

  it('ends with what is there, gives up the rest, and says what was left unfinished', async () => {
    const source = new GraphSource({ op: ['good', 'slow'], good: ['anchor'], slow: ['anchor'], anchor: [] });
    source.hold('slow');
    const discovery = await discover(source, { isValid: everyChain });
    expect(waysOf(discovery)).toEqual(['op good anchor']);
    expect(endsOf(discovery)).toEqual(['op slow: timed_out at Entity Configuration']);
    expect(source.signal?.aborted).toBe(true);
  });

  it.each<[string, string, Hints, Setting?]>([
    ['of a superior that is named later', 'slow', { op: ['good', 'slow'], good: ['anchor'], anchor: [] }],
    ['that can only lead to a longer chain', 'slow', { op: ['good'], good: ['anchor', 'slow'], anchor: [] }],
    [
      'beyond the depth limit',
      'slow',
      { op: ['a', 'good'], a: ['b'], b: ['slow'], good: ['anchor'], anchor: [] },
      { budget: { maxDepth: 3 } },
    ],
    [
      'above a subject that is a Trust Anchor itself',
      'anchor',
      { op: ['anchor'], anchor: [] },
      { anchors: ['op', 'anchor'] },
    ],
  ])('does not wait for an answer %s', async (_what, missing, hints, setting) => {
    expect(await waitsFor(missing, hints, setting)).toBe(false);
  });

  it.each<[string, string, Hints, Setting?]>([
    ['of a superior that is named first', 'slow', { op: ['slow', 'good'], good: ['anchor'], slow: [], anchor: [] }],
    ['that may lead to a shorter chain', 'anchor>a', { op: ['a'], a: ['b', 'anchor'], b: ['anchor'], anchor: [] }],
    [
      'that may lead to a chain as short',
      'other',
      { op: ['a'], a: ['anchor', 'other'], anchor: [], other: [] },
      { anchors: ['anchor', 'other'] },
    ],
    [
      'when the chains that are there are not valid',
      'slow',
      { op: ['good', 'slow'], good: ['anchor'], slow: [], anchor: [] },
      { isValid: async () => false },
    ],
    [
      'when the limit of chains may cut off the only valid one',
      'slow',
      { op: ['good', 'slow'], good: ['x', 'y'], x: ['anchor'], y: ['anchor'], slow: [], anchor: [] },
      { budget: { maxChains: 2 }, isValid: async (chain) => chain.some(({ claims }) => claims.iss === id('y')) },
    ],
    ['when the subject names a superior twice', 'slow', { op: ['good', 'good', 'slow'], good: ['anchor'], anchor: [] }],
    [
      'when nobody asks whether chains are valid',
      'slow',
      { op: ['good', 'slow'], good: ['anchor'], slow: [], anchor: [] },
      { isValid: undefined },
    ],
  ])('waits for an answer %s', async (_what, missing, hints, setting) => {
    expect(await waitsFor(missing, hints, setting)).toBe(true);
  });

  it('judges no more chains before the end than it puts together in the end, on any graph', async () => {
    const middle = Array.from({ length: 6 }, (_, index) => `m${index}`);
    const source = new GraphSource((name) => {
      if (name === 'op') return ['first', 'slow'];
      if (name === 'anchor') return [];
      return [...middle.filter((other) => other !== name), 'anchor'];
    });
    source.hold('slow');
    let judged = 0;
    const isValid: ChainTest = async () => {
      judged++;
      return false;
    };
    const clock = new AbortController();
    const discovering = discover(source, { isValid, budget: { maxChains: 10 }, signal: clock.signal });
    await setImmediate();
    clock.abort();
    expect(waysOf(await discovering)).toHaveLength(10);
    expect(judged).toBeGreaterThan(0);
    expect(judged).toBeLessThanOrEqual(10);
  });

  it('fails with what the test of a chain fails with', async () => {
    const source = new GraphSource({ op: ['good', 'slow'], good: ['anchor'], anchor: [] });
    source.hold('slow');
    const isValid: ChainTest = () => Promise.reject(new Error('out of order'));
    await expect(discover(source, { isValid })).rejects.toThrow('out of order');
  });
});

describe('budget', () => {
  /** op → n0 → n1 → … , each name new. */
  const ladder = (name: string): string[] => [name === 'op' ? 'n0' : `n${Number(name.slice(1)) + 1}`];

  it('stops on an endless ladder of fresh entities at the depth limit', async () => {
    const source = new GraphSource(ladder);
    const discovery = await discover(source);
    expect(discovery.chains).toEqual([]);
    expect(source.asked).toHaveLength(DEFAULT_DISCOVERY_BUDGET.maxDepth + 1);
    expect(discovery.attempts).toMatchObject([
      { reason: 'budget_exhausted', section: '18.1', at: 'Entity Configuration /authority_hints' },
    ]);
    expect(discovery.attempts[0]?.retryable).toBeUndefined();
  });

  it('finds a chain with exactly as many superiors as the depth limit', async () => {
    const top = (name: string): string[] => (name === 'n10' ? ['anchor'] : name === 'anchor' ? [] : ladder(name));
    expect((await discover(new GraphSource(top))).chains.map((chain) => chain.length)).toEqual([14]);
    const tooFar = await discover(new GraphSource(top), { budget: { maxDepth: 11 } });
    expect(tooFar.chains).toEqual([]);
    expect(tooFar.attempts).toMatchObject([{ reason: 'budget_exhausted' }]);
  });

  it('goes on from an entity that was first met too deep, once a shorter way to it is known', async () => {
    const source = new GraphSource({ op: ['a', 'short'], a: ['b'], b: ['x'], short: ['x'], x: ['anchor'], anchor: [] });
    const release = source.hold('short');
    const discovering = discover(source, { budget: { maxDepth: 3 } });
    await expect.poll(() => source.asked).toContain('x');
    release();
    const discovery = await discovering;
    expect(waysOf(discovery)).toEqual(['op short x anchor']);
    expect(endsOf(discovery)).toEqual(['op: budget_exhausted at ']);
  });

  it('follows the first hints of a long list, and a Trust Anchor wherever it stands in it', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `n${index}`);
    const source = new GraphSource({ op: [...names.slice(0, 150), 'anchor', ...names.slice(150)], anchor: [] });
    const discovery = await discover(source);
    expect(waysOf(discovery)).toEqual(['op anchor']);
    expect(source.asked.filter((what) => what.startsWith('n'))).toEqual(names.slice(0, 64));
    expect(endsOf(discovery).at(-1)).toBe('op: budget_exhausted at Entity Configuration /authority_hints/64');
  });

  it('[OIDFED-18.1-1] never asks for more statements than it may, and says which it did not ask for', async () => {
    const tree = (name: string): string[] => Array.from({ length: 10 }, (_, index) => `${name}-${index}`);
    const source = new GraphSource(tree);
    const discovery = await discover(source);
    expect(source.asked).toHaveLength(DEFAULT_DISCOVERY_BUDGET.maxStatements);
    expect(new Set(discovery.attempts.map(({ reason }) => reason))).toEqual(new Set(['budget_exhausted']));
  });

  it('ends at once when nothing may be asked for', async () => {
    const discovery = await discover(new GraphSource({ op: [] }), { budget: { maxStatements: 0 } });
    expect(endsOf(discovery)).toEqual(['op: budget_exhausted at Entity Configuration']);
  });

  it('lets no endless branch use up what a slow one beside it needs, however deep the fork', async () => {
    const graph: Record<string, string[]> = { op: ['fork'], fork: ['hostile', 'slow'], slow: ['anchor'], anchor: [] };
    const fan = (name: string): string[] => [...Array.from({ length: 60 }, (_, i) => `${name}-${i}`), 'anchor'];
    const source = new GraphSource((name) => graph[name] ?? fan(name));
    source.fail('anchor>hostile', 'subject_not_active');
    const release = source.hold('slow');
    const discovering = discover(source);
    await expect.poll(() => source.asked.length).toBeGreaterThan(150);
    release();
    expect(waysOf(await discovering)).toContain('op fork slow anchor');
  });

  it('gives what no branch claimed to those that need more than their share', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const chain = Object.fromEntries(names.map((name, index) => [name, [names[index + 1] ?? 'anchor']]));
    const source = new GraphSource({ op: ['n0', 'dead'], ...chain, anchor: [] });
    source.fail('dead', 'connection_failed');
    const discovery = await discover(source, { budget: { maxDepth: 101, maxStatements: 204 } });
    expect(discovery.chains.map(({ length }) => length)).toEqual([103]);
    expect(source.asked).toHaveLength(204);
  });

  it('resolves within the defaults: six superiors, ten levels each, and forty dead hints before a good one', async () => {
    const dead = Array.from({ length: 40 }, (_, index) => `dead${index}`);
    const level = (name: string): string[] | undefined => {
      const [branch, height] = name.split('-');
      if (name === 'op') return [...dead, 'b0-1', 'b1-1', 'b2-1', 'b3-1', 'b4-1', 'b5-1'];
      if (name === 'anchor') return [];
      if (height === undefined) return undefined;
      return height === '9' ? ['anchor'] : [`${branch}-${Number(height) + 1}`];
    };
    const discovery = await discover(new GraphSource(level));
    expect(discovery.chains.map(({ length }) => length)).toEqual(Array.from({ length: 6 }, () => 12));
    expect(discovery.attempts).toHaveLength(40);
  });

  it('puts together no more chains than it may on a dense graph, and says so', async () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const source = new GraphSource((name) => (name === 'anchor' ? [] : [...nodes.filter((n) => n !== name), 'anchor']));
    const discovery = await discover(source);
    expect(discovery.chains).toHaveLength(DEFAULT_DISCOVERY_BUDGET.maxChains);
    expect(new Set(waysOf(discovery)).size).toBe(DEFAULT_DISCOVERY_BUDGET.maxChains);
    expect(waysOf(discovery)).toContain('op anchor');
    expect(waysOf(discovery)).toContain('op n11 anchor');
    expect(discovery.attempts.map(({ message }) => message)).toContain(
      'there are more than 64 chains; the others were not looked at',
    );
  });

  it('keeps a dense graph under one superior from hiding the only way through another', async () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const dense = (name: string): string[] => [...nodes.filter((n) => n !== name), 'anchor'];
    const others: Record<string, string[]> = { op: ['n0', 'good'], good: ['better'], better: ['anchor'], anchor: [] };
    const discovery = await discover(new GraphSource((name) => others[name] ?? dense(name)));
    expect(discovery.chains).toHaveLength(DEFAULT_DISCOVERY_BUDGET.maxChains);
    expect(waysOf(discovery).at(-1)).toBe('op good better anchor');
  });

  it('stops listing dead ends of a hostile graph, and says so', async () => {
    const nodes = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const source = new GraphSource(() => nodes);
    const { attempts } = await discover(source);
    expect(attempts).toHaveLength(MAX_DEAD_ENDS + 1);
    expect(attempts.at(-1)).toMatchObject({ chain: [id('op')], reason: 'budget_exhausted' });
  });
});
