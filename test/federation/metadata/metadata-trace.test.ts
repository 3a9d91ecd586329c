/** Steps that are told while metadata is resolved. @see OIDFED §6.1.4 */
import { describe, expect, it } from 'vitest';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import type { MetadataStep } from '../../../src/federation/metadata/metadata-trace.ts';
import { resolveMetadata } from '../../../src/federation/metadata/resolve-metadata.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

const PLACE = { entityType: 'oauth_client', parameter: 'parameter' };

/** Steps under the policies of ES[1], ES[2] …, and the refusal if there is one. */
function trace(metadata: Metadata, ...policies: ParameterPolicy[]): { steps: MetadataStep[]; refused: string } {
  const steps: MetadataStep[] = [];
  const subordinateStatements = policies.map((operators, index) => ({
    place: `ES[${index + 1}]`,
    metadataPolicy: policyOf(operators, PLACE),
  }));
  const resolve = () =>
    resolveMetadata({
      ...{ subject: 'https://rp.example', metadata, subordinateStatements },
      observer: (step) => void steps.push(step),
    });
  try {
    resolve();
    return { steps, refused: '' };
  } catch {
    return { steps, refused: refusal(resolve) };
  }
}

describe('the trace', () => {
  it('keeps whose policies a merged operator comes from, the most superior first', () => {
    const { steps } = trace(
      { oauth_client: { parameter: ['a', 'b', 'c'] } },
      { subset_of: ['a'] },
      {},
      { subset_of: ['a', 'b'] },
    );
    expect(steps).toEqual([
      {
        kind: 'policy',
        ...PLACE,
        operator: 'subset_of',
        place: 'ES[3]',
        value: ['a', 'b'],
        above: [],
        merged: ['a', 'b'],
      },
      {
        kind: 'policy',
        ...PLACE,
        operator: 'subset_of',
        place: 'ES[1]',
        value: ['a'],
        above: ['ES[3]'],
        merged: ['a'],
      },
      {
        ...{ kind: 'operator', ...PLACE, operator: 'subset_of', value: ['a'], before: ['a', 'b', 'c'], after: ['a'] },
        contributions: [
          { place: 'ES[3]', value: ['a', 'b'] },
          { place: 'ES[1]', value: ['a'] },
        ],
      },
    ]);
  });

  it.each<[string, ParameterPolicy[], string[]]>([
    ['the one that refuses alone', [{ one_of: ['a'] }, { one_of: ['a', 'b'] }], ['ES[1]']],
    ['both', [{ one_of: ['a'] }, { one_of: ['a', 'c'] }], ['ES[2]', 'ES[1]']],
  ])('marks %s', (_what, policies, refusing) => {
    const { steps, refused } = trace({ oauth_client: { parameter: 'b' } }, ...policies);
    expect(refused).toBe('policy_value_not_allowed at /metadata/oauth_client/parameter');
    const last = steps.at(-1);
    expect(last).toMatchObject({ kind: 'operator', before: 'b', refusal: { reason: 'policy_value_not_allowed' } });
    const contributions = last?.kind === 'operator' ? last.contributions : [];
    expect(contributions.filter(({ isRefusing }) => isRefusing).map(({ place }) => place)).toEqual(refusing);
  });

  it('ends at the policy that conflicts, or that makes a forbidden pair', () => {
    const conflict = trace({}, { value: 'b' }, { value: 'a' });
    expect(conflict.steps.at(-1)).toMatchObject({ kind: 'policy', place: 'ES[1]', above: ['ES[2]'], refusal: {} });
    const pair = trace({}, { one_of: ['a'] }, { add: ['a'] });
    expect(pair.steps.at(-1)).toMatchObject({
      ...{ kind: 'policy', place: 'ES[1]', operator: 'one_of' },
      refusal: { reason: 'policy_combination_forbidden' },
    });
  });

  it('changes nothing about the outcome', () => {
    const metadata = { oauth_client: { parameter: ['a', 'z'] } };
    const policies = [{ add: ['b'], subset_of: ['a', 'b'] }];
    const { steps } = trace(metadata, ...policies);
    const subordinateStatements = [{ place: 'ES[1]', metadataPolicy: policyOf(policies[0] ?? {}, PLACE) }];
    const untraced = resolveMetadata({ subject: 'https://rp.example', metadata, subordinateStatements });
    const last = steps.at(-1);
    expect(untraced['oauth_client']?.['parameter']).toEqual(last?.kind === 'operator' ? last.after : 'no operator');
  });
});
