import { describe, expect, it } from 'vitest';
import type { PolicyOperator } from '../../../src/federation/policy/operator.ts';
import { createOperatorRegistry, STANDARD_OPERATORS } from '../../../src/federation/policy/standard-operators.ts';
import { checkConfiguration, checkSubordinateStatement } from '../../support/statement-checks.ts';

const KINDS = [
  ['an Entity Configuration', checkConfiguration],
  ['a Subordinate Statement', checkSubordinateStatement],
] as const;

describe.each(KINDS)('metadata of %s', (_kind, check) => {
  it('[OIDFED-3.1.1-6] is an object of objects, empty ones included', () => {
    expect(check({ metadata: { federation_entity: {}, 'urn:example:type': {} } })).toBe('accepted');
    expect(check({ metadata: {} })).toBe('accepted');
    for (const metadata of [null, [], 'openid_provider', 1]) {
      expect(check({ metadata })).toBe('metadata_invalid at /metadata');
    }
    for (const parameters of [null, [], true]) {
      expect(check({ metadata: { 'a/b': parameters } })).toBe('metadata_invalid at /metadata/a~1b');
    }
  });

  it('[OIDFED-3.2-11] has no parameter that is null; a null deeper inside is none', () => {
    expect(check({ metadata: { openid_relying_party: { client_name: null } } })).toBe(
      'metadata_null at /metadata/openid_relying_party/client_name',
    );
    expect(check({ metadata: { openid_relying_party: { claims: { a: null }, list: [null] } } })).toBe('accepted');
  });
});

describe('metadata and who speaks', () => {
  it('[OIDFED-5.1.3-1] demands the issuer from the entity itself, by its own sub', () => {
    const issuer = 'https://op.example';
    expect(checkConfiguration({ metadata: { openid_provider: { issuer } } })).toBe('accepted');
    expect(checkConfiguration({ metadata: { openid_provider: {} } })).toBe(
      'metadata_invalid at /metadata/openid_provider/issuer',
    );
    expect(checkSubordinateStatement({ metadata: { openid_provider: {} } })).toBe('accepted');
    expect(checkSubordinateStatement({ metadata: { openid_provider: { issuer: `${issuer}/` } } })).toBe(
      'metadata_invalid at /metadata/openid_provider/issuer',
    );
  });

  it('[OIDFED-1.2-4] judges endpoint URLs by the choice of the operator', () => {
    const metadata = { federation_entity: { federation_fetch_endpoint: 'http://op.example/fetch' } };
    expect(checkConfiguration({ metadata })).toBe(
      'metadata_invalid at /metadata/federation_entity/federation_fetch_endpoint',
    );
    expect(checkConfiguration({ metadata }, { allowHttp: true })).toBe('accepted');
  });
});

describe('metadata_policy and metadata_policy_crit', () => {
  const regexp: PolicyOperator = {
    name: 'regexp',
    order: 6.5,
    checkValue: (value) => (typeof value === 'string' ? undefined : 'must be a string'),
    merge: (superior) => superior,
    apply: (parameter) => parameter,
  };
  const operators = createOperatorRegistry([regexp]);

  it('[OIDFED-6.1-1] refuses a policy of another shape', () => {
    expect(checkSubordinateStatement({ metadata_policy: null })).toBe('policy_malformed at /metadata_policy');
    expect(checkSubordinateStatement({ metadata_policy: { openid_provider: { a: { value: 1 } } } })).toBe('accepted');
    expect(checkSubordinateStatement({ metadata_policy: { openid_provider: { a: [] } } })).toBe(
      'policy_malformed at /metadata_policy/openid_provider/a',
    );
  });

  it('[OIDFED-3.1.3-1] refuses empty, mistyped and standard critical operator names', () => {
    for (const crit of [[], null, 'regexp', {}, [7], [null]]) {
      expect(checkSubordinateStatement({ metadata_policy_crit: crit }, { operators })).toBe(
        'policy_crit_invalid at /metadata_policy_crit',
      );
    }
    for (const { name } of STANDARD_OPERATORS.ordered) {
      expect(checkSubordinateStatement({ metadata_policy_crit: ['regexp', name] }, { operators })).toBe(
        'policy_crit_invalid at /metadata_policy_crit/1',
      );
    }
  });

  it('[OIDFED-6.1.3.2-1] refuses a critical operator that the caller does not know', () => {
    expect(checkSubordinateStatement({ metadata_policy_crit: ['regexp'] })).toBe(
      'policy_crit_unsupported at /metadata_policy_crit/0',
    );
    expect(checkSubordinateStatement({ metadata_policy_crit: ['regexp'] }, { operators })).toBe('accepted');
  });

  it('[OIDFED-6.1.3.2-1] judges values of the operators that the caller knows', () => {
    const policy = { openid_provider: { a: { regexp: 7 } } };
    expect(checkSubordinateStatement({ metadata_policy: policy })).toBe('accepted');
    expect(checkSubordinateStatement({ metadata_policy: policy }, { operators })).toBe(
      'policy_operator_value_invalid at /metadata_policy/openid_provider/a/regexp',
    );
  });
});

describe('constraints', () => {
  it('[OIDFED-6.2.1-1] are judged where they stand', () => {
    expect(checkSubordinateStatement({ constraints: { max_path_length: 0 } })).toBe('accepted');
    expect(checkSubordinateStatement({ constraints: null })).toBe('constraints_malformed at /constraints');
    expect(checkSubordinateStatement({ constraints: { max_path_length: -1 } })).toBe(
      'constraints_malformed at /constraints/max_path_length',
    );
  });
});

describe('source_endpoint', () => {
  it.each(['https://anchor.example/fetch', 'https://anchor.example:8443/fetch?tenant=1', 'http://127.0.0.1:8080/f'])(
    '[OIDFED-3.1.3-2] may be %s',
    (url) => {
      expect(checkSubordinateStatement({ source_endpoint: url })).toBe('accepted');
    },
  );

  it.each([
    '',
    'fetch',
    'http://anchor.example/fetch',
    'https://anchor.example/fetch#a',
    null,
    7,
    ['https://a.example'],
  ])('[OIDFED-3.1.3-2] may not be %j', (url) => {
    expect(checkSubordinateStatement({ source_endpoint: url })).toBe('claim_invalid at /source_endpoint');
  });
});
