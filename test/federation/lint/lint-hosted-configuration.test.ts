import { describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import type { JsonObject } from '../../../src/federation/json.ts';
import { lintHostedConfiguration } from '../../../src/federation/lint/lint-hosted-configuration.ts';
import { NOW } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';

const ENTITY = 'https://entities.example/clinic';
const { jwk } = await testKey();

const CLAIMS: JsonObject = {
  ...{ iss: ENTITY, sub: ENTITY, iat: NOW, exp: NOW + 60 },
  jwks: { keys: [jwk as JsonObject] },
  authority_hints: ['https://anchor.example'],
  metadata: { openid_relying_party: {}, federation_entity: { organization_name: 'Clinic' } },
};

function refusal(changes: JsonObject): string {
  try {
    lintHostedConfiguration({ ...CLAIMS, ...changes }, { maxLifetimeSeconds: 3600 });
  } catch (error) {
    if (error instanceof FederationError) return `${error.reason} at ${error.at}`;
    throw error;
  }
  return 'signed';
}

describe('the lint of a hosted configuration', () => {
  it('passes that of a leaf', () => expect(refusal({})).toBe('signed'));

  it.each<[string, JsonObject]>([
    ['lint_failed at /sub', { sub: 'https://other.example' }],
    ['lint_failed at /trust_mark_issuers', { trust_mark_issuers: {} }],
    ['lint_failed at /trust_mark_owners', { trust_mark_owners: {} }],
    ['lint_failed at /constraints', { constraints: { max_path_length: 0 } }],
    [
      'lint_failed at /metadata/federation_entity/federation_fetch_endpoint',
      {
        metadata: {
          federation_entity: { federation_fetch_endpoint: `${ENTITY}/f`, federation_list_endpoint: `${ENTITY}/l` },
        },
      },
    ],
    ['lint_failed at /exp', { exp: NOW + 3601 }],
    ['jwk_private at /jwks/keys/0', { jwks: { keys: [{ ...(jwk as JsonObject), d: 'AAAA' }] } }],
  ])('%s', (expected, changes) => expect(refusal(changes)).toBe(expected));

  it('asks for a superior', () => {
    const { authority_hints: _, ...alone } = CLAIMS;
    expect(() => lintHostedConfiguration(alone, { maxLifetimeSeconds: 3600 })).toThrow(/names its superior/);
  });
});
