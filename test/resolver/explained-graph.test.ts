import { describe, expect, it } from 'vitest';
import { Allowance } from '../../src/federation/trust-chain/discovery-budget.ts';
import type { GraphEntity } from '../../src/federation/trust-chain/superior-graph.ts';
import { explainGraph, type GraphNotes, MAX_SHOWN_ENTITIES } from '../../src/resolver/explained-graph.ts';
import { explainMetadata } from '../../src/resolver/explained-metadata.ts';
import { whoCanMend } from '../../src/resolver/who-can-mend.ts';
import { id } from '../support/graph-source.ts';

function entity(name: string, depth: number): GraphEntity {
  const flags = { isTrustAnchor: false, isFollowed: true, leadsToTrustAnchor: false };
  const allowance = Allowance.ofDiscovery(1);
  return { identifier: id(name), depth, allowance, superiors: [], subordinates: [], ...flags };
}

const notes: GraphNotes = {
  refusalsByStatement: new Map(),
  deadEnds: [],
  refusal: ({ reason, section, at, message }, issuer) => {
    const whoMends = whoCanMend(reason, { subject: id('op'), trustAnchors: new Set(), issuer });
    return { reason, section, at, message, whoCanMend: whoMends };
  },
};

describe('the tree of a hostile graph', () => {
  it('shows so many entities and says how many more there are', () => {
    const subject = entity('op', 0);
    for (let index = 0; index < 2000; index++) {
      subject.superiors.push({ subordinate: subject, superior: entity(`s${index}`, 1), isWanted: false });
    }
    const tree = explainGraph(subject, notes);
    expect(tree.superiors).toHaveLength(MAX_SHOWN_ENTITIES - 1);
    expect(tree.omittedSuperiors).toBe(2000 - tree.superiors.length);
    expect(tree.configuration).toMatchObject({ verdict: 'refused', refusals: [{ reason: 'timed_out' }] });
  });

  it('is small where everybody names everybody', () => {
    const entities = Array.from({ length: 50 }, (_, index) => entity(`e${index}`, index === 0 ? 0 : 1));
    for (const subordinate of entities) {
      for (const superior of entities) subordinate.superiors.push({ subordinate, superior, isWanted: false });
    }
    const [subject = entity('op', 0)] = entities;
    const json = JSON.stringify(explainGraph(subject, notes));
    expect(json.match(/"configuration"/g)).toHaveLength(50);
    expect(json.match(/"reference"/g)).toHaveLength(50 * 50 - 49);
  });
});

describe('the steps of hostile policies', () => {
  it('end where the budget of characters does', () => {
    const value = 'x'.repeat(100);
    const at = { entityType: 'oauth_client', parameter: 'p', operator: 'value', place: 'ES[1]' };
    const steps = Array.from({ length: 10 }, () => ({ kind: 'policy' as const, ...at, value, above: [] }));
    const traced = { steps, published: {}, issuerAt: () => 'x' };
    const { parameters, isCut } = explainMetadata(traced, { left: 1000 });
    expect(isCut).toBe(true);
    expect(parameters[0]?.steps.length).toBeLessThan(10);
    expect(explainMetadata(traced).isCut).toBeUndefined();
  });
});
