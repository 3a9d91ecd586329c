/** Explanations of generated federations: always the resolver's verdict, and always finite. @see OIDFED §10 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { ExplainedEntity } from '../../src/resolver/explained-graph.ts';
import { describeExplanation } from '../../src/resolver/explanation.ts';
import type { ResolveOutcome } from '../../src/resolver/resolution.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { buildFederation, type EntitySettings, LIFETIME_SECONDS, NOW } from '../support/federation.ts';
import { memoryClient, publishedStatements } from '../support/memory-client.ts';

const NAMES = ['op', 'a', 'b', 'c', 'd', 'anchor', 'other'];

/** Claims that superiors add, good and hostile ones. */
const added = fc.constantFrom<object>(
  {},
  {},
  { metadata_policy: { openid_provider: { contacts: { subset_of: ['x', 'y'], default: ['x'] } } } },
  { metadata_policy: { openid_provider: { contacts: { subset_of: ['z'], essential: true } } } },
  { metadata_policy: { openid_provider: { contacts: { value: ['q'] } } } },
  { metadata_policy: { openid_provider: { contacts: { one_of: ['q'] } } } },
  { metadata: { openid_provider: { contacts: ['y'] } } },
  { constraints: { max_path_length: 0 } },
  { constraints: { allowed_entity_types: [] } },
  { constraints: { naming_constraints: { excluded: ['op.example'] } } },
  { exp: NOW - 60 },
  { exp: NOW + 60 },
  { crit: ['unknown'], unknown: 1 },
);

/** Any graph at all: hints go everywhere, to oneself and in circles too. */
const settings = fc.tuple(...NAMES.map((name) => entity(name))).map((entities) => Object.fromEntries(entities));

function entity(name: string): fc.Arbitrary<[string, EntitySettings]> {
  const superiors = fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...NAMES.slice(1), 'nobody'), { maxLength: 3 }),
      fc.array(added, { minLength: 3, maxLength: 3 }),
    )
    .map(([names, claims]) =>
      Object.fromEntries(
        names.map((superior, index) => [
          superior === 'nobody' ? 'https://nobody.example' : superior,
          claims[index] ?? {},
        ]),
      ),
    );
  const provider = { client_registration_types_supported: ['automatic'], contacts: ['x', 'z'] };
  const metadata = (issuer: string): Record<string, object> =>
    name === 'op' ? { openid_provider: { issuer, ...provider } } : {};
  return superiors.map((above) => [name, { superiors: above as Record<string, Record<string, unknown>>, metadata }]);
}

/** What happens to an answer on its way. */
const fate = fc.constantFrom('kept', 'kept', 'kept', 'kept', 'kept', 'lost', 'garbage', 'altered');

function suffer(jwt: string, what: string): string | undefined {
  if (what === 'lost') return undefined;
  if (what === 'garbage') return 'no JWT at all';
  return what === 'altered' ? `${jwt.slice(0, -8)}AAAAAAAA` : jwt;
}

function entitiesShown(tree: ExplainedEntity): EntityIdentifier[] {
  return [
    tree.entity,
    ...tree.superiors.flatMap(({ superior }) => ('reference' in superior ? [] : entitiesShown(superior))),
  ];
}

/** What counts of an outcome; requests depend on what the other run left in no cache: none is shared. */
function comparable(outcome: ResolveOutcome): unknown {
  return 'resolved' in outcome ? { ...outcome, resolved: { ...outcome.resolved, dependencies: [] } } : outcome;
}

function dependenciesOf(outcome: ResolveOutcome): string[] {
  return 'resolved' in outcome ? outcome.resolved.dependencies : [];
}

describe('an explanation', () => {
  it("is always the resolver's verdict with its reasons, and finite whatever the graph", async () => {
    const verdicts = new Set<string>();
    await fc.assert(
      fc.asyncProperty(settings, fc.array(fate, { minLength: 40, maxLength: 40 }), async (entities, fates) => {
        const federation = await buildFederation(entities);
        const published = [...(await publishedStatements(federation))];
        const answers = published.flatMap(([url, jwt], index): [string, string][] => {
          const body = suffer(jwt, fates[index % fates.length] ?? 'kept');
          return body === undefined ? [] : [[url, body]];
        });
        const request = { subject: federation.id('op'), trustAnchors: federation.trustAnchors('anchor', 'other') };
        const create = () => createResolver({ outbound: memoryClient(new Map(answers)), clock: federation.clock });
        const outcome = await create().resolve(request);
        const explanation = await create().explain(request);
        expect(comparable(explanation.outcome)).toEqual(comparable(outcome));
        // An explanation looks at everything, also where the choice was certain before.
        expect(dependenciesOf(explanation.outcome)).toEqual(expect.arrayContaining(dependenciesOf(outcome)));

        const told = JSON.parse(JSON.stringify(describeExplanation(request, explanation)));
        expect(told.verdict).toBe('resolved' in outcome ? 'resolved' : 'refused');
        verdicts.add(told.verdict);
        if ('resolved' in outcome) {
          expect(told.resolution.metadata).toEqual(outcome.resolved.metadata);
          expect(told.resolution.expiresAt).toBeLessThanOrEqual(NOW + LIFETIME_SECONDS);
          expect(told.chains[0].verdict).toBe('chosen');
        } else {
          const reasons = outcome.attempts.map(({ reason, section, at, message }) => ({
            reason,
            section,
            at,
            message,
          }));
          expect(told.attempts).toMatchObject(reasons);
          expect(told.attempts).toHaveLength(reasons.length);
          for (const { whoCanMend } of told.attempts) expect(whoCanMend.advice).toMatch(/\S/);
        }
        const shown = entitiesShown(told.graph);
        expect(new Set(shown).size).toBe(shown.length);
        expect(shown.length).toBeLessThanOrEqual(NAMES.length + 1);
      }),
      { numRuns: 80 },
    );
    expect([...verdicts].sort()).toEqual(['refused', 'resolved']);
  });
});
