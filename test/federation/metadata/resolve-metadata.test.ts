/** Resolved Metadata: the order of all that superiors say, and the verdict on the result. @see OIDFED §6.1.4 */
import { describe, expect, it } from 'vitest';
import { checkConstraints } from '../../../src/federation/constraints.ts';
import { applySuperiorMetadata } from '../../../src/federation/metadata/apply-superior-metadata.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import {
  type MetadataResolution,
  resolveMetadata,
  type SubordinateStatementRules,
} from '../../../src/federation/metadata/resolve-metadata.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { createOperatorRegistry } from '../../../src/federation/policy/standard-operators.ts';
import { REGEXP_OPERATOR } from '../../support/custom-operators.ts';
import { policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

const SUBJECT = 'https://op.example';

/** Resolves for a chain; statements as in a chain, ES[1] first. */
function resolve(
  metadata: Metadata,
  statements: Omit<SubordinateStatementRules, 'place'>[] = [],
  rest: Partial<MetadataResolution> = {},
): Metadata {
  const subordinateStatements = statements.map((rules, index) => ({ place: `ES[${index + 1}]`, ...rules }));
  return resolveMetadata({ subject: SUBJECT, metadata, subordinateStatements, ...rest });
}

const allowing = (...types: string[]) => ({ constraints: checkConstraints({ allowed_entity_types: types }) });

describe("the immediate superior's metadata", () => {
  it('[OIDFED-6.1.4-2] replaces parameters whole, adds missing ones and leaves the others', () => {
    const own = { oauth_client: { contacts: ['a', 'b'], nested: { x: 1, y: 2 }, kept: 'k' }, oauth_resource: { z: 1 } };
    const superior = { oauth_client: { contacts: ['c'], nested: { x: 3 }, added: true } };
    expect(applySuperiorMetadata(own, superior)).toEqual({
      oauth_client: { contacts: ['c'], nested: { x: 3 }, kept: 'k', added: true },
      oauth_resource: { z: 1 },
    });
    expect(own.oauth_client).toEqual({ contacts: ['a', 'b'], nested: { x: 1, y: 2 }, kept: 'k' });
    expect(superior).toEqual({ oauth_client: { contacts: ['c'], nested: { x: 3 }, added: true } });
  });

  it('[OIDFED-6.1.4-2] tells language-tagged parameters apart', () => {
    const own = { oauth_client: { client_name: 'a', 'client_name#sv': 'b' } };
    expect(applySuperiorMetadata(own, { oauth_client: { 'client_name#sv': 'c' } })).toEqual({
      oauth_client: { client_name: 'a', 'client_name#sv': 'c' },
    });
  });

  it('[OIDFED-6.1.4-3] creates no type that the subject does not declare', () => {
    const own = { federation_entity: {} };
    const superior = {
      openid_relying_party: { a: 1 },
      constructor: { b: 1 },
      federation_entity: { organization_name: 'A' },
    };
    expect(applySuperiorMetadata(own, superior)).toEqual({ federation_entity: { organization_name: 'A' } });
  });

  it('says nothing where there is none', () => {
    const own = { federation_entity: { a: 1 } };
    expect(applySuperiorMetadata(own, undefined)).toEqual(own);
    expect(applySuperiorMetadata(own, {})).toEqual(own);
  });
});

describe('resolveMetadata', () => {
  it('[OIDFED-6.1.4-11] gives the overlaid and filtered metadata where no statement has a policy', () => {
    const metadata = { oauth_client: { a: 1 }, oauth_resource: { b: 1 }, federation_entity: {} };
    const superiorMetadata = { oauth_client: { a: 2 }, oauth_resource: { b: 2 } };
    expect(resolve(metadata, [{}, allowing('oauth_client')], { superiorMetadata })).toEqual({
      oauth_client: { a: 2 },
      federation_entity: {},
    });
    expect(resolve(metadata)).toEqual(metadata);
  });

  it('[OIDFED-6.1.4-2] applies policy to what the immediate superior overlaid', () => {
    const statements = [{ metadataPolicy: policyOf({ one_of: ['c', 'd'] }, { entityType: 'oauth_client' }) }];
    const own = { oauth_client: { parameter: 'a' } };
    const superiorMetadata = { oauth_client: { parameter: 'c' } };
    expect(resolve(own, statements, { superiorMetadata })).toEqual(superiorMetadata);
    expect(refusal(() => resolve(own, statements))).toBe(
      'policy_value_not_allowed at /metadata/oauth_client/parameter',
    );
  });

  it('[OIDFED-6.1.4-4] never looks at the metadata of statements, only at what the caller names as ES[1]’s', () => {
    const higher: SubordinateStatementRules & { metadata: Metadata } = {
      place: 'ES[2]',
      metadata: { oauth_client: { parameter: 'about another entity' } },
    };
    expect(resolve({ oauth_client: { parameter: 'a' } }, [{}, higher])).toEqual({ oauth_client: { parameter: 'a' } });
  });

  it('[OIDFED-6.2.3-2] filters types after the overlay and before policy', () => {
    const own = { oauth_client: { parameter: 'a' }, federation_entity: {} };
    const metadataPolicy = policyOf({ one_of: ['z'] }, { entityType: 'oauth_client' });
    const superiorMetadata = { oauth_client: { parameter: 'y' } };
    expect(resolve(own, [{ metadataPolicy, ...allowing() }], { superiorMetadata })).toEqual({ federation_entity: {} });
  });

  it('[OIDFED-6.1.4-5] merges policies from the top down and applies the result once', () => {
    const setting = { entityType: 'oauth_client' };
    const statements = [
      { metadataPolicy: policyOf({ add: ['a'], subset_of: ['a', 'b'] }, setting) },
      {},
      { metadataPolicy: policyOf({ default: ['d'], superset_of: ['a'] }, setting) },
    ];
    expect(resolve({ oauth_client: {} }, statements)).toEqual({ oauth_client: { parameter: ['a'] } });
    const applied: string[] = [];
    resolve({ oauth_client: {} }, statements, {
      observer: (step) => void (step.kind === 'operator' && applied.push(step.operator)),
    });
    expect(applied).toEqual(['add', 'default', 'subset_of', 'superset_of']);
  });

  it.each<[string, ParameterPolicy[], string, string]>([
    ['a policy conflict', [{ value: 'b' }, { value: 'a' }], 'policy_conflict at ES[1]', 'value'],
    ['a forbidden pair', [{ add: ['a'] }, {}, { one_of: ['a'] }], 'policy_combination_forbidden at ES[1]', 'one_of'],
  ])(
    '[OIDFED-6.1.4-8] refuses the chain for %s, even if no metadata is concerned',
    (_what, policies, outcome, operator) => {
      const statements = policies.map((operators) => ({ metadataPolicy: policyOf(operators) }));
      const place = `/metadata_policy/openid_relying_party/parameter/${operator}`;
      expect(refusal(() => resolve({}, statements))).toBe(`${outcome} ${place}`);
    },
  );

  it('[OIDFED-6.1.4-1] refuses the chain for a critical operator of any statement', () => {
    const statements = [{}, { metadataPolicyCrit: ['regexp'] }];
    expect(refusal(() => resolve({}, statements))).toBe('policy_crit_unsupported at ES[2] /metadata_policy_crit/0');
    expect(resolve({}, statements, { operators: createOperatorRegistry([REGEXP_OPERATOR]) })).toEqual({});
  });

  it('[OIDFED-6.1.4-9] lets a policy for an undeclared type have no effect', () => {
    const statements = [{ metadataPolicy: policyOf({ essential: true, value: 'a' }) }];
    expect(resolve({ federation_entity: {} }, statements)).toEqual({ federation_entity: {} });
  });

  it('[OIDFED-6.1.4-10] does not hand out a result that the standard forbids', () => {
    const provider = { openid_provider: { issuer: SUBJECT } };
    const policy = (parameter: string, value: string | null) => [
      { metadataPolicy: policyOf({ value }, { entityType: 'openid_provider', parameter }) },
    ];
    expect(resolve(provider, policy('issuer', SUBJECT))).toEqual(provider);
    const refused = 'metadata_invalid at /metadata/openid_provider/issuer';
    expect(refusal(() => resolve(provider, policy('issuer', 'https://other.example')))).toBe(refused);
    expect(refusal(() => resolve(provider, policy('issuer', null)))).toBe(refused);
    const superiorMetadata = { openid_provider: { issuer: 'https://other.example' } };
    expect(refusal(() => resolve(provider, [{}], { superiorMetadata }))).toBe(refused);
  });

  it('[OIDFED-6.1.4-12] checks the types that the standard itself defines', () => {
    const statements = [
      {
        metadataPolicy: policyOf(
          { value: 'http://op.example/jwks' },
          { entityType: 'oauth_client', parameter: 'jwks_uri' },
        ),
      },
    ];
    const act = (rest: Partial<MetadataResolution> = {}) => resolve({ oauth_client: {} }, statements, rest);
    expect(refusal(() => act())).toBe('metadata_invalid at /metadata/oauth_client/jwks_uri');
    expect(refusal(() => act({ identifierOptions: { allowHttp: true } }))).toBe('accepted');
  });

  it('does not change what it is given', () => {
    const metadata = { oauth_client: { parameter: ['a'] }, oauth_resource: {} };
    const superiorMetadata = { oauth_client: { other: ['b'] } };
    const statements = [
      { metadataPolicy: policyOf({ add: ['b'] }, { entityType: 'oauth_client' }), ...allowing('oauth_client') },
      { metadataPolicy: policyOf({ add: ['c'] }, { entityType: 'oauth_client' }) },
    ];
    const copies = structuredClone({ metadata, superiorMetadata, statements });
    expect(resolve(metadata, statements, { superiorMetadata })).toEqual({
      oauth_client: { parameter: ['a', 'c', 'b'], other: ['b'] },
    });
    expect({ metadata, superiorMetadata, statements }).toEqual(copies);
  });
});
