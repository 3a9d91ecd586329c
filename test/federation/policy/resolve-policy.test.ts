/** Resolution of the policies of a chain: critical operators, merging of types and parameters, levels. @see OIDFED §6.1.4.1 */
import { describe, expect, it } from 'vitest';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { parseMetadataPolicy } from '../../../src/federation/policy/parse-policy.ts';
import { type PolicySource, resolveMetadataPolicy } from '../../../src/federation/policy/resolve-policy.ts';
import { createOperatorRegistry } from '../../../src/federation/policy/standard-operators.ts';
import { REGEXP_OPERATOR } from '../../support/custom-operators.ts';
import { mergeOperators, POLICY_AT, policyOf, sourcesOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member);
    Object.freeze(value);
  }
  return value;
}

describe('merging of policies', () => {
  it('[OIDFED-6.1.4-6] copies types, parameters and operators that only one policy has', () => {
    const superior = parseMetadataPolicy({
      openid_provider: { contacts: { add: ['a'] }, logo_uri: { essential: true } },
      only_above: { x: { value: 1 } },
    });
    const subordinate = parseMetadataPolicy({
      openid_provider: { contacts: { essential: true }, policy_uri: { default: 'https://op.example/p' } },
      only_below: { y: { value: 2 } },
    });
    expect(resolveMetadataPolicy(sourcesOf([superior, subordinate]))).toEqual({
      openid_provider: {
        contacts: { add: ['a'], essential: true },
        logo_uri: { essential: true },
        policy_uri: { default: 'https://op.example/p' },
      },
      only_above: { x: { value: 1 } },
      only_below: { y: { value: 2 } },
    });
  });

  it('[OIDFED-6.1-4] keeps types, parameters and language-tagged variants apart', () => {
    const superior = parseMetadataPolicy({ a: { name: { value: 'x' }, 'name#sv': { value: 'y' } } });
    const subordinate = parseMetadataPolicy({ b: { name: { value: 'z' } }, a: { 'name#de': { value: 'w' } } });
    expect(resolveMetadataPolicy(sourcesOf([superior, subordinate]))).toEqual({
      a: { name: { value: 'x' }, 'name#sv': { value: 'y' }, 'name#de': { value: 'w' } },
      b: { name: { value: 'z' } },
    });
  });

  it('[OIDFED-6.1-5] lets an empty policy change nothing, above or below', () => {
    const policy = policyOf({ value: 'a' });
    for (const empty of [{}, { openid_relying_party: {} }, { openid_relying_party: { parameter: {} } }]) {
      expect(resolveMetadataPolicy(sourcesOf([policy, parseMetadataPolicy(empty)]))).toEqual(policy);
      expect(resolveMetadataPolicy(sourcesOf([parseMetadataPolicy(empty), policy]))).toEqual(policy);
    }
  });

  it('[OIDFED-6.1.4-11] gives an empty policy for a chain that has none', () => {
    expect(resolveMetadataPolicy([])).toEqual({});
    expect(resolveMetadataPolicy(sourcesOf([undefined, undefined]))).toEqual({});
  });

  it('does not change the policies that it merges', () => {
    const policies = [
      policyOf({ add: ['a'], subset_of: ['a', 'b'] }),
      policyOf({ add: ['b'], subset_of: ['a', 'b', 'c'], essential: true }),
      parseMetadataPolicy({ openid_relying_party: { scope: { value: 'openid' }, parameter: { add: ['a'] } } }),
    ];
    const copies = structuredClone(policies);
    resolveMetadataPolicy(sourcesOf(freeze(policies)));
    expect(policies).toEqual(copies);
  });

  it('[OIDFED-6.1.3.1-21] merges the values of a client scope as sets, however they are written', () => {
    const merged = mergeOperators([{ value: 'openid email' }, { value: ['email', 'openid'] }], { parameter: 'scope' });
    expect(merged).toEqual({ value: ['openid', 'email'] });
    const pair = [{ default: 'openid email' }, { default: 'email openid' }];
    expect(mergeOperators(pair, { parameter: 'scope', entityType: 'oauth_client' })).toEqual({
      default: ['openid', 'email'],
    });
    expect(refusal(() => mergeOperators(pair, { parameter: 'scope', entityType: 'oauth_resource' }))).toBe(
      'policy_conflict at ES[1] /metadata_policy/oauth_resource/scope/default',
    );
    expect(refusal(() => mergeOperators(pair))).toBe(`policy_conflict at ES[1] ${POLICY_AT}/default`);
  });
});

describe('three levels', () => {
  it('[OIDFED-6.1.4-5] merges from the most superior statement down', () => {
    const policies: ParameterPolicy[] = [
      { subset_of: ['a', 'b', 'c'], add: ['a'] },
      { subset_of: ['b', 'a', 'd'], superset_of: ['a'] },
      { subset_of: ['a', 'b'], add: ['b'], default: ['a'], essential: true },
    ];
    expect(mergeOperators(policies)).toEqual({
      ...{ subset_of: ['a', 'b'], add: ['a', 'b'], superset_of: ['a'], default: ['a'], essential: true },
    });
  });

  it.each<[string, ParameterPolicy[], string, string, string]>([
    [
      'the lowest',
      [{ one_of: ['a', 'b'] }, { one_of: ['b', 'c'] }, { one_of: ['c'] }],
      'policy_conflict',
      'ES[1]',
      'one_of',
    ],
    ['the middle one', [{ value: 'a' }, { value: 'b' }, { value: 'a' }], 'policy_conflict', 'ES[2]', 'value'],
    [
      'the lowest, against the highest',
      [{ subset_of: ['a', 'b'] }, { superset_of: ['a'] }, { add: ['c'] }],
      'policy_combination_forbidden',
      'ES[1]',
      'subset_of',
    ],
    [
      'the middle one, though the lowest would not clash with it',
      [{ one_of: ['a'] }, { add: ['a'] }, {}],
      'policy_combination_forbidden',
      'ES[2]',
      'one_of',
    ],
  ])('[OIDFED-6.1.4-8] refuses at %s', (_where, policies, reason, place, operator) => {
    expect(refusal(() => mergeOperators(policies))).toBe(`${reason} at ${place} ${POLICY_AT}/${operator}`);
  });

  it('counts statements without a policy when it says the place', () => {
    const sources = sourcesOf([policyOf({ value: 'a' }), undefined, policyOf({ value: 'b' }), undefined]);
    expect(refusal(() => resolveMetadataPolicy(sources))).toBe(`policy_conflict at ES[2] ${POLICY_AT}/value`);
  });
});

describe('critical operators', () => {
  const operators = createOperatorRegistry([REGEXP_OPERATOR]);
  const statement = (place: string, rest: Partial<PolicySource> = {}): PolicySource => ({ place, ...rest });

  it('[OIDFED-6.1.4-1] fails the chain for one unsupported name, though no policy uses it', () => {
    const sources = [statement('ES[2]', { metadataPolicyCrit: ['regexp', 'remove'] }), statement('ES[1]')];
    const at = 'ES[2] /metadata_policy_crit/1';
    expect(refusal(() => resolveMetadataPolicy(sources, operators))).toBe(`policy_crit_unsupported at ${at}`);
  });

  it('[OIDFED-6.1.4-1] lets a name of one statement bind all of them, before anything is merged', () => {
    const sources = [
      statement('ES[3]', { metadataPolicy: policyOf({ value: 'a' }) }),
      statement('ES[2]', { metadataPolicy: policyOf({ value: 'b', remove: ['x'] }) }),
      statement('ES[1]', { metadataPolicyCrit: ['remove'] }),
    ];
    const at = 'ES[1] /metadata_policy_crit/0';
    expect(refusal(() => resolveMetadataPolicy(sources, operators))).toBe(`policy_crit_unsupported at ${at}`);
  });

  it('[OIDFED-6.1.3.2-1] accepts critical operators that are known, and unknown ones that are not critical', () => {
    const sources = [
      statement('ES[2]', { metadataPolicy: policyOf({ regexp: ['a'], other: 1 }), metadataPolicyCrit: ['regexp'] }),
      statement('ES[1]', { metadataPolicyCrit: ['regexp'] }),
    ];
    expect(resolveMetadataPolicy(sources, operators)).toEqual(policyOf({ regexp: ['a'], other: 1 }));
    expect(refusal(() => resolveMetadataPolicy(sources))).toBe(
      'policy_crit_unsupported at ES[2] /metadata_policy_crit/0',
    );
  });
});
