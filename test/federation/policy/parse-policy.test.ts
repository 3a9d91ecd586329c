/** Syntax of policies and of their critical operators in a single statement. @see OIDFED §6.1.2, §6.1.3.2 */
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/federation/json.ts';
import { checkMetadataPolicyCrit, parseMetadataPolicy } from '../../../src/federation/policy/parse-policy.ts';
import { createOperatorRegistry } from '../../../src/federation/policy/standard-operators.ts';
import { REGEXP_OPERATOR } from '../../support/custom-operators.ts';
import { applyOperators, mergeOperators, POLICY_AT, policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

describe('parseMetadataPolicy', () => {
  it('[OIDFED-6.1-1] gives back the policy that it was given', () => {
    const policy = {
      openid_relying_party: {
        grant_types: { default: ['authorization_code'], essential: true },
        scope: { value: 'a b' },
      },
      openid_provider: { contacts: { add: ['ops@op.example'] } },
      a_new_type: { x: { value: null } },
    };
    const copy = structuredClone(policy);
    expect(parseMetadataPolicy(policy)).toBe(policy);
    expect(policy).toEqual(copy);
  });

  it.each([
    [null, ''],
    [[], ''],
    ['x', ''],
    [undefined, ''],
    [{ openid_provider: null }, '/openid_provider'],
    [{ openid_provider: [] }, '/openid_provider'],
    [{ openid_relying_party: {}, openid_provider: 'x' }, '/openid_provider'],
    [{ openid_provider: { contacts: null } }, '/openid_provider/contacts'],
    [{ openid_provider: { contacts: ['a'] } }, '/openid_provider/contacts'],
    [{ openid_provider: { contacts: 'a' } }, '/openid_provider/contacts'],
    [{ 'https://x/~y': { 'a/b': 1 } }, '/https:~1~1x~1~0y/a~1b'],
  ])('[OIDFED-6.1-1] refuses the shape of %j', (policy, at) => {
    expect(refusal(() => parseMetadataPolicy(policy))).toBe(`policy_malformed at /metadata_policy${at}`);
  });

  it('[OIDFED-6.1-1] says the place below a claim that stands elsewhere', () => {
    const policy = { openid_provider: { contacts: { add: 'a' } } };
    const outcome = refusal(() => parseMetadataPolicy(policy, undefined, '/draft/policy'));
    expect(outcome).toBe('policy_operator_value_invalid at /draft/policy/openid_provider/contacts/add');
  });

  it.each([
    '{"openid_provider":{},"openid_provider":{}}',
    '{"openid_provider":{"contacts":{},"contacts":{}}}',
    '{"openid_provider":{"contacts":{"add":["a"],"add":["b"]}}}',
    '{"openid_provider":{"contacts":{"add":["a"],"\\u0061dd":["b"]}}}',
  ])('[OIDFED-6.1-2] refuses a name that occurs twice in %s', (text) => {
    expect(refusal(() => parseMetadataPolicy(parseJson(text)))).toBe('json_duplicate_member');
  });

  it('[OIDFED-6.1-2] accepts one name at different places', () => {
    const text = '{"a":{"a":{"add":["a"]},"b":{"add":["a"]}},"b":{"a":{"add":["a"]}}}';
    expect(refusal(() => parseMetadataPolicy(parseJson(text)))).toBe('accepted');
  });

  it('[OIDFED-6.1-3] takes an operator of another case for an unknown one', () => {
    expect(refusal(() => policyOf({ One_Of: 'no array', ONE_OF: 1 }))).toBe('accepted');
    expect(applyOperators({ Value: 'b', ESSENTIAL: true }, undefined)).toBeUndefined();
    expect(applyOperators({ Value: 'b' }, 'a')).toBe('a');
  });

  it.each([{}, { openid_relying_party: {} }, { openid_relying_party: { parameter: {} } }])(
    '[OIDFED-6.1-5] reads %j as a policy that says nothing',
    (policy) => {
      expect(parseMetadataPolicy(policy)).toBe(policy);
    },
  );

  it('[OIDFED-6.1.3.2-1] accepts whatever an unknown operator says, also next to operators it could contradict', () => {
    expect(refusal(() => policyOf({ 'https://op.example/x': null, value: 'a' }))).toBe('accepted');
  });

  it('[OIDFED-6.1.3.1-21] judges combinations on the parts of a client scope', () => {
    const scope = { parameter: 'scope' };
    expect(refusal(() => policyOf({ value: 'openid email', subset_of: ['email', 'openid', 'x'] }, scope))).toBe(
      'accepted',
    );
    expect(refusal(() => policyOf({ value: 'openid email', subset_of: ['openid email'] }, scope))).toBe(
      'policy_combination_forbidden at /metadata_policy/openid_relying_party/scope/subset_of',
    );
    expect(refusal(() => policyOf({ value: 'openid email', subset_of: ['email', 'openid'] }))).toBe(
      `policy_combination_forbidden at ${POLICY_AT}/subset_of`,
    );
  });

  it('[OIDFED-6.1.3.1-21] wants an array where an operator takes sets, for scope too', () => {
    const at = '/metadata_policy/openid_relying_party/scope/subset_of';
    const outcome = refusal(() => policyOf({ subset_of: 'openid email' }, { parameter: 'scope' }));
    expect(outcome).toBe(`policy_operator_value_invalid at ${at}`);
  });

  it('[OIDFED-6.1-4] is not misled by names that every object inherits', () => {
    expect(applyOperators({ constructor: 'x', toString: ['y'] }, 'a')).toBe('a');
    expect(mergeOperators([{ value: 'a' }, { hasOwnProperty: 'x' }])).toEqual({ value: 'a', hasOwnProperty: 'x' });
    for (const name of ['constructor', 'toString', 'valueOf']) {
      expect(applyOperators({ default: 'a' }, undefined, { entityType: name, parameter: name })).toBe('a');
      expect(mergeOperators([{ add: ['a'] }, { add: ['b'] }], { entityType: name, parameter: name })).toEqual({
        add: ['a', 'b'],
      });
    }
  });
});

describe('checkMetadataPolicyCrit', () => {
  const operators = createOperatorRegistry([REGEXP_OPERATOR]);

  it('[OIDFED-3.1.3-1] accepts names of custom operators that are understood', () => {
    expect(checkMetadataPolicyCrit(['regexp'], operators)).toEqual(['regexp']);
  });

  it.each([
    [undefined, ''],
    ['regexp', ''],
    [{}, ''],
    [[], ''],
    [['regexp', 1], ''],
    [[null], ''],
    [['regexp', 'value'], '/1'],
    [['essential'], '/0'],
  ])('[OIDFED-3.1.3-1] refuses %j', (crit, at) => {
    const outcome = refusal(() => checkMetadataPolicyCrit(crit, operators));
    expect(outcome).toBe(`policy_crit_invalid at /metadata_policy_crit${at}`);
  });

  it('[OIDFED-6.1.3.2-1] refuses a critical operator that is not understood', () => {
    const outcome = refusal(() => checkMetadataPolicyCrit(['regexp', 'remove'], operators));
    expect(outcome).toBe('policy_crit_unsupported at /metadata_policy_crit/1');
    expect(refusal(() => checkMetadataPolicyCrit(['regexp']))).toBe(
      'policy_crit_unsupported at /metadata_policy_crit/0',
    );
    expect(refusal(() => checkMetadataPolicyCrit(['Regexp'], operators))).toBe(
      'policy_crit_unsupported at /metadata_policy_crit/0',
    );
  });
});
