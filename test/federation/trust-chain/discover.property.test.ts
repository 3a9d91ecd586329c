import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
