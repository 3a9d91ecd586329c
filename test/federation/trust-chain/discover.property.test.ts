import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntityStatement } from '../../../src/federation/statement/entity-statement.ts';
import { chooseTrustChain } from '../../../src/federation/trust-chain/choose-trust-chain.ts';
import { type Discovery, discoverTrustChains } from '../../../src/federation/trust-chain/discover.ts';
import type { DiscoveryBudget } from '../../../src/federation/trust-chain/discovery-budget.ts';
import { GraphSource, id, nameOf } from '../../support/graph-source.ts';

type Graph = Record<string, string[] | undefined>;

const NAMES = ['op', 'a', 'b', 'c', 'd', 'e'];
const ANCHORS = ['d', 'e'];
/** Enough for every graph of these names, so that nothing is cut. */
const GENEROUS = { maxDepth: 6, maxChains: 1000, maxStatements: 1000 };

/** Any hints between the names, loops and self-hints included; some names may not exist. */
const graphs: fc.Arbitrary<Graph> = fc.record(
  Object.fromEntries(NAMES.map((name) => [name, fc.shuffledSubarray(NAMES)])),
  { requiredKeys: [] },
);

type Found = Pick<Discovery, 'chains' | 'attempts'>;

async function discover(source: GraphSource, budget: Partial<DiscoveryBudget> = GENEROUS): Promise<Found> {
  const trustAnchors = new Set(ANCHORS.map(id));
  const { signal } = new AbortController();
  const { chains, attempts } = await discoverTrustChains(id('op'), { source, trustAnchors, budget, signal });
  return { chains, attempts };
}

function waysOf({ chains }: Pick<Found, 'chains'>): string[] {
  return chains.map((chain) => [...new Set(chain.map(({ claims }) => nameOf(claims.iss)))].join(' '));
}

/** Every way without a loop, found the plain way. */
function allWays(graph: Graph, way: string[] = ['op']): string[] {
  const top = way.at(-1) ?? '';
  const hints = graph[top];
  if (hints === undefined) return [];
  const further = hints.filter((hint) => !way.includes(hint)).flatMap((hint) => allWays(graph, [...way, hint]));
  return ANCHORS.includes(top) ? [way.join(' '), ...further] : further;
}

describe('discovery', () => {
  it('finds exactly the ways without loops, each once', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const discovery = await discover(new GraphSource(graph));
        expect(waysOf(discovery).toSorted()).toEqual(allWays(graph).toSorted());
      }),
    );
  });

  it('says why when there is no chain, and never asks for the same twice', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const source = new GraphSource(graph);
        const discovery = await discover(source);
        expect(discovery.chains.length + discovery.attempts.length).toBeGreaterThan(0);
        expect(new Set(source.asked).size).toBe(source.asked.length);
      }),
    );
  });

  it('gives the same whatever the order of the answers', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.scheduler(), async (graph, scheduler) => {
        const source = new GraphSource(graph);
        source.schedule = (answer, label) => scheduler.schedule(answer, label);
        const discovering = discover(source);
        await scheduler.waitFor(discovering);
        expect(await discovering).toEqual(await discover(new GraphSource(graph)));
      }),
    );
  });

  it('gives links in order: each issuer is the subject of the next statement, the anchor ends the chain', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        for (const chain of (await discover(new GraphSource(graph))).chains) {
          const issuers = chain.map(({ claims }) => claims.iss);
          expect(chain.map(({ claims }) => claims.sub)).toEqual([id('op'), ...issuers.slice(0, -1)]);
          expect(ANCHORS.map(id)).toContain(issuers.at(-1));
        }
      }),
    );
  });

  it('finds fewer ways within a small budget, none that is wrong, and says when some may be missing', async () => {
    const small = fc.record({ maxDepth: fc.nat(3), maxChains: fc.nat(3), maxStatements: fc.nat(12) });
    await fc.assert(
      fc.asyncProperty(graphs, small, async (graph, budget) => {
        const { chains, attempts } = await discover(new GraphSource(graph), budget);
        const ways = waysOf({ chains });
        const all = allWays(graph);
        for (const way of ways) expect(all).toContain(way);
        if (ways.length < all.length) expect(attempts.map(({ reason }) => reason)).toContain('budget_exhausted');
      }),
    );
  });
});

describe('a choice before all answers are there', () => {
  /** What a resolver makes of a discovery: the best chain of those that are valid. */
  const choose = ({ chains }: Discovery, isValid: (chain: EntityStatement[]) => boolean): string | undefined =>
    chooseTrustChain(chains.filter(isValid).map((statements) => ({ statements })))
      ?.statements.map(({ jwt }) => jwt)
      .join(' ');
  const budgets = fc.record({
    maxDepth: fc.integer({ min: 1, max: 6 }),
    maxChains: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1000)),
    maxStatements: fc.constant(1000),
  });
  /** Statements that a superior refuses to give, and issuers whose statements make a chain invalid. */
  const pairs = NAMES.flatMap((superior) => NAMES.map((subject) => `${superior}>${subject}`));
  const trouble = fc.record({
    refused: fc.subarray(pairs, { maxLength: 12 }),
    invalid: fc.subarray(pairs, { maxLength: 12 }),
  });

  it('[OIDFED-10.3-2] is the choice between all chains, whatever the order of the answers', async () => {
    let early = 0;
    await fc.assert(
      fc.asyncProperty(graphs, budgets, trouble, fc.scheduler(), async (graph, budget, bad, scheduler) => {
        const isValid = (chain: EntityStatement[]): boolean => !chain.some(({ jwt }) => bad.invalid.includes(jwt));
        const sourceOf = (): GraphSource => {
          const source = new GraphSource(graph);
          for (const what of bad.refused) source.fail(what, 'subject_not_active');
          return source;
        };
        const options = { trustAnchors: new Set(ANCHORS.map(id)), budget, signal: new AbortController().signal };
        const all = sourceOf();
        const expected = choose(await discoverTrustChains(id('op'), { ...options, source: all }), isValid);

        const source = sourceOf();
        source.schedule = (answer, label) => {
          // Nobody waits for some of them in the end.
          answer.catch(() => {});
          return scheduler.schedule(answer, label);
        };
        const choosing = discoverTrustChains(id('op'), {
          ...{ ...options, source },
          isValid: (chain) => scheduler.schedule(Promise.resolve(isValid(chain))),
        });
        await scheduler.waitFor(choosing);
        expect(choose(await choosing, isValid)).toBe(expected);
        expect(all.asked).toEqual(expect.arrayContaining(source.asked));
        if (source.asked.length < all.asked.length) early++;
        if (expected === undefined) expect(source.asked.toSorted()).toEqual(all.asked.toSorted());
      }),
      { numRuns: 1000 },
    );
    expect(early).toBeGreaterThan(0);
  });
});
