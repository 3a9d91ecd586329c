import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Allowance, DEFAULT_DISCOVERY_BUDGET } from '../../../src/federation/trust-chain/discovery-budget.ts';
import { EarlyChoice, MAX_LINKS_FOLLOWED } from '../../../src/federation/trust-chain/early-choice.ts';
import { exploreSuperiors, type GraphEntity } from '../../../src/federation/trust-chain/superior-graph.ts';
import { GraphSource, id } from '../../support/graph-source.ts';

const BUDGET = DEFAULT_DISCOVERY_BUDGET;

describe('looks at a graph that grows', () => {
  it('together follow so many links and no more, whatever the graph is like', async () => {
    const source = new GraphSource({ op: [] });
    const configuration = await source.entityConfiguration(id('op'), new AbortController().signal);
    let followed = 0;
    const entities = Array.from({ length: 190 }, (_, index): GraphEntity => {
      const links: GraphEntity['superiors'] = [];
      return {
        identifier: id(`e${index}`),
        isTrustAnchor: false,
        allowance: Allowance.ofDiscovery(0),
        configuration,
        depth: index === 0 ? 0 : 1,
        isFollowed: true,
        get superiors() {
          followed += links.length;
          return links;
        },
        subordinates: [],
        leadsToTrustAnchor: false,
      };
    });
    const [subject] = entities;
    if (subject === undefined) throw new Error('there is no subject');
    for (const subordinate of entities) {
      const superiors = subordinate.superiors;
      for (const superior of entities.slice(1)) {
        if (superior !== subordinate) superiors.push({ subordinate, superior, isWanted: false });
      }
    }
    followed = 0;
    const choice = new EarlyChoice(BUDGET, async () => true);
    for (let look = 0; look < 100; look++) expect(await choice.isMade(subject)).toBe(false);
    expect(followed).toBeGreaterThan(MAX_LINKS_FOLLOWED / 2);
    expect(followed).toBeLessThan(MAX_LINKS_FOLLOWED + 3 * entities.length);
  });

  it('are taken once for all answers that came, and never two at a time', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `i${index}`);
    const source = new GraphSource({
      op: ['slow', ...names],
      slow: [],
      ...Object.fromEntries(names.map((name) => [name, []])),
    });
    const release = source.hold('slow');
    let [looks, underWay, most] = [0, 0, 0];
    const isEnough = async (): Promise<boolean> => {
      looks++;
      underWay++;
      most = Math.max(most, underWay);
      await setImmediate();
      underWay--;
      return false;
    };
    const signal = new AbortController().signal;
    const exploring = exploreSuperiors(id('op'), {
      ...{ source, trustAnchors: new Set([id('anchor')]), budget: BUDGET, signal, isEnough },
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    release();
    expect((await exploring).superiors.length).toBe(31);
    expect(most).toBe(1);
    expect(looks).toBeLessThanOrEqual(3);
  });
});
