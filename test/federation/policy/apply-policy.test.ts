/** Application of a resolved policy to whole metadata: types, parameters, scope. @see OIDFED §6.1.4.2 */
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/federation/json.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import { applyMetadataPolicy, type PolicyStep } from '../../../src/federation/policy/apply-policy.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { parseMetadataPolicy } from '../../../src/federation/policy/parse-policy.ts';
import { resolveMetadataPolicy } from '../../../src/federation/policy/resolve-policy.ts';
import { applyOperators, METADATA_AT, sourcesOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

function apply(policy: object, metadata: Metadata): Metadata {
  return applyMetadataPolicy(resolveMetadataPolicy(sourcesOf([parseMetadataPolicy(policy)])), metadata);
}

describe('applyMetadataPolicy', () => {
  it('[OIDFED-6.1-4] acts on exactly the types and parameters that the policy names', () => {
    const metadata = {
      openid_provider: { name: 'a', 'name#sv': 'b', contacts: ['c'], nested: { name: null } },
      openid_relying_party: { name: 'd' },
      federation_entity: {},
    };
    expect(apply({ openid_provider: { name: { value: 'x' }, 'name#de': { default: 'y' } } }, metadata)).toEqual({
      openid_provider: { name: 'x', 'name#sv': 'b', 'name#de': 'y', contacts: ['c'], nested: { name: null } },
      openid_relying_party: { name: 'd' },
      federation_entity: {},
    });
  });

  it('[OIDFED-6.1.4-9] has no effect on types that the metadata does not declare', () => {
    const policy = { openid_provider: { issuer: { essential: true }, x: { value: 1 } }, toString: { x: { value: 1 } } };
    expect(apply(policy, { federation_entity: { a: 1 } })).toEqual({ federation_entity: { a: 1 } });
    expect(refusal(() => apply(policy, { openid_provider: {} }))).toBe(
      'policy_essential_missing at /metadata/openid_provider/issuer',
    );
  });

  it('[OIDFED-6.1-5] leaves metadata as it is where the policy is empty', () => {
    const metadata = { openid_provider: { a: 1 } };
    for (const policy of [{}, { openid_provider: {} }, { openid_provider: { a: {}, b: {} } }]) {
      expect(apply(policy, metadata)).toEqual(metadata);
    }
  });

  it('[OIDFED-6.1.3-2] takes a removed parameter out of the object', () => {
    const resolved = apply({ openid_provider: { a: { value: null } } }, { openid_provider: { a: 1, b: 2 } });
    expect(Object.keys(resolved['openid_provider'] ?? {})).toEqual(['b']);
  });

  it('does not change metadata and policy', () => {
    const metadata = { openid_provider: { contacts: ['a'], x: 1 } };
    const policy = {
      openid_provider: { contacts: { add: ['b'], subset_of: ['b'] }, x: { value: null }, y: { value: ['c'] } },
    };
    const copies = structuredClone({ metadata, policy });
    expect(apply(policy, metadata)).toEqual({ openid_provider: { contacts: ['b'], y: ['c'] } });
    expect({ metadata, policy }).toEqual(copies);
  });

  it('escapes names in the place of a refusal', () => {
    const policy = { 'a/b': { 'c~d': { essential: true } } };
    expect(refusal(() => apply(policy, { 'a/b': {} }))).toBe('policy_essential_missing at /metadata/a~1b/c~0d');
  });

  it('shows each operator at work, with the parameter before and after', () => {
    const steps: PolicyStep[] = [];
    const operators = { essential: true, subset_of: ['a'], default: ['a', 'b'], unknown: 1 };
    applyOperators(operators, undefined, { observer: (step) => steps.push(step) });
    const place = { entityType: 'openid_relying_party', parameter: 'parameter' };
    expect(steps).toEqual([
      { ...place, operator: 'default', value: ['a', 'b'], before: undefined, after: ['a', 'b'] },
      { ...place, operator: 'subset_of', value: ['a'], before: ['a', 'b'], after: ['a'] },
      { ...place, operator: 'essential', value: true, before: ['a'], after: ['a'] },
    ]);
  });
});

describe('client scope', () => {
  const cases: [string, ParameterPolicy, JsonValue | undefined, JsonValue | undefined][] = [
    ['OIDFED-6.1.3.1-21', { value: 'openid email' }, 'phone', 'openid email'],
    ['OIDFED-6.1.3.1-21', { value: ['openid', 'email'] }, undefined, 'openid email'],
    ['OIDFED-6.1.3.1-21', { value: null }, 'openid', undefined],
    ['OIDFED-6.1.3.1-21', { add: ['email', 'openid'] }, 'openid phone', 'openid phone email'],
    ['OIDFED-6.1.3.1-21', { add: ['openid'] }, undefined, 'openid'],
    ['OIDFED-6.1.3.1-21', { add: ['openid'] }, '', 'openid'],
    ['OIDFED-6.1.3.1-21', { default: 'openid email' }, undefined, 'openid email'],
    ['OIDFED-6.1.3.1-21', { default: ['openid', 'email'] }, undefined, 'openid email'],
    ['OIDFED-6.1.3.1-21', { default: 'openid' }, 'email', 'email'],
    ['OIDFED-6.1.3.1-21', { default: 'openid' }, '', ''],
    ['OIDFED-6.1.3.1-21', { subset_of: ['openid', 'email'] }, 'openid phone email', 'openid email'],
    ['OIDFED-6.1.3.1-21', { superset_of: ['openid'] }, 'email openid', 'email openid'],
    ['OIDFED-6.1.3.1-21', { essential: true }, 'openid', 'openid'],
    ['OIDFED-6.1.3.1-21', { one_of: ['openid'] }, undefined, undefined],
    ['OIDFED-6.1.3.1-22', { subset_of: ['openid'] }, 'email', ''],
    ['OIDFED-6.1.3.1-22', { subset_of: ['openid'], essential: true }, 'email', ''],
    ['OIDFED-6.1.3.1-22', { essential: true }, '', ''],
    ['OIDFED-6.1.3.1-22', { add: [], essential: true }, undefined, ''],
  ];

  it.each(cases)('[%s] %j makes of %j %j', (_requirement, operators, before, after) => {
    for (const entityType of ['openid_relying_party', 'oauth_client']) {
      expect(applyOperators(operators, before, { entityType, parameter: 'scope' })).toBe(after);
    }
  });

  it.each<[ParameterPolicy, JsonValue | undefined, string]>([
    [{ superset_of: ['openid'] }, 'email', 'policy_value_not_allowed'],
    [{ superset_of: ['openid'], subset_of: ['openid', 'email'] }, 'email phone', 'policy_value_not_allowed'],
    [{ one_of: ['openid', 'email'] }, 'openid', 'policy_parameter_type_unsupported'],
    [{ essential: true }, undefined, 'policy_essential_missing'],
    [{ add: ['openid'] }, 5, 'policy_parameter_type_unsupported'],
  ])('[OIDFED-6.1.3.1-21] %j refuses %j: %s', (operators, before, reason) => {
    const outcome = refusal(() => applyOperators(operators, before, { parameter: 'scope' }));
    expect(outcome).toBe(`${reason} at /metadata/openid_relying_party/scope`);
  });

  it('[OIDFED-6.1.3.1-21] is split nowhere else', () => {
    const operators = { subset_of: ['openid'] };
    for (const [entityType, parameter] of [
      ['openid_provider', 'scope'],
      ['oauth_resource', 'scope'],
      ['openid_relying_party', 'scopes'],
      ['openid_relying_party', 'scope#en'],
    ] as const) {
      const outcome = refusal(() => applyOperators(operators, 'openid email', { entityType, parameter }));
      expect(outcome).toBe(`policy_parameter_type_unsupported at /metadata/${entityType}/${parameter}`);
    }
    expect(applyOperators({ one_of: ['a b'] }, 'a b', { entityType: 'openid_provider', parameter: 'scope' })).toBe(
      'a b',
    );
  });

  it('[OIDFED-6.1.3.1-21] leaves the elements of arrays whole', () => {
    const setting = { parameter: 'response_types' };
    expect(applyOperators({ subset_of: ['code', 'id_token'] }, ['code id_token', 'code'], setting)).toEqual(['code']);
    expect(applyOperators({ subset_of: ['code id_token'] }, ['code id_token', 'code'], setting)).toEqual([
      'code id_token',
    ]);
    expect(refusal(() => applyOperators({ superset_of: ['code'] }, ['code id_token']))).toBe(
      `policy_value_not_allowed at ${METADATA_AT}`,
    );
  });
});
