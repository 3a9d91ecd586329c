import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/federation/json.ts';
import { olderNamesIn, olderNamesInJwt, olderNameText } from '../../src/federation/older-drafts.ts';

/** A compact JWT, as far as its claims can be looked at. */
function jwtOf(claims: JsonObject): string {
  return [{}, claims, {}].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

describe('names of older drafts', () => {
  it.each<[JsonObject, string, string, number]>([
    [
      { metadata: { federation_entity: { federation_api_endpoint: 'x' } } },
      '/metadata/federation_entity/federation_api_endpoint',
      'federation_fetch_endpoint',
      20,
    ],
    [
      { metadata: { federation_entity: { federation_status_endpoint: 'x' } } },
      '/metadata/federation_entity/federation_status_endpoint',
      'federation_trust_mark_status_endpoint',
      25,
    ],
    [
      { metadata: { trust_mark_issuer: {} } },
      '/metadata/trust_mark_issuer',
      'federation_entity with federation_trust_mark_status_endpoint',
      25,
    ],
    [{ trust_marks_issuers: {} }, '/trust_marks_issuers', 'trust_mark_issuers', 31],
    [{ trust_marks_owners: {} }, '/trust_marks_owners', 'trust_mark_owners', 31],
    [{ policy_language_crit: [] }, '/policy_language_crit', 'metadata_policy_crit', 32],
    [
      { constraints: { allowed_leaf_entity_types: [] } },
      '/constraints/allowed_leaf_entity_types',
      'allowed_entity_types',
      34,
    ],
    [
      { metadata: { federation_entity: { federation_fetch_endpoint_auth_signing_algs: [] } } },
      '/metadata/federation_entity/federation_fetch_endpoint_auth_signing_algs',
      'endpoint_auth_signing_alg_values_supported',
      40,
    ],
    [
      { metadata: { openid_provider: { request_authentication_methods_supported: {} } } },
      '/metadata/openid_provider/request_authentication_methods_supported',
      'the metadata of request objects and pushed requests',
      40,
    ],
    [{ trust_anchor_id: 'x' }, '/trust_anchor_id', 'trust_anchor', 41],
    [
      { metadata_policy: { federation_entity: { homepage_uri: {} } } },
      '/metadata_policy/federation_entity/homepage_uri',
      'organization_uri',
      43,
    ],
    [{ trust_marks: [{ id: 'x', trust_mark: 'y' }] }, '/trust_marks/0/id', 'trust_mark_type', 43],
    [{ trust_marks: [{ trust_mark_id: 'x', trust_mark: 'y' }] }, '/trust_marks/0/trust_mark_id', 'trust_mark_type', 43],
    [
      { trust_marks: [{ trust_mark_type: 'x', trust_mark: jwtOf({ id: 'x' }) }] },
      '/trust_marks/0/trust_mark /id',
      'trust_mark_type',
      43,
    ],
    [
      { trust_marks: ['x', { trust_mark_type: 'x', trust_mark: jwtOf({ trust_mark_id: 'x' }) }] },
      '/trust_marks/1/trust_mark /trust_mark_id',
      'trust_mark_type',
      43,
    ],
  ])('are recognised in %j', (claims, at, now, sinceDraft) => {
    const old = at.slice(at.lastIndexOf('/') + 1);
    expect(olderNamesIn(claims)).toEqual([{ at, old, now, sinceDraft }]);
    expect(olderNamesInJwt(jwtOf(claims))).toEqual([{ at, old, now, sinceDraft }]);
  });

  it.each<JsonObject>([
    {},
    { metadata: 'x', constraints: [], trust_marks: {}, metadata_policy: null },
    { trust_marks: ['x', null, { trust_mark_type: 'a', id: 'an extension of somebody' }], metadata: { a: null } },
    { metadata: { federation_entity: { federation_fetch_endpoint: 'x', organization_uri: 'y' } } },
    { trust_marks: [{ trust_mark_type: 'x', trust_mark: jwtOf({ trust_mark_type: 'x', id: 'an extension' }) }] },
    { trust_marks: [{ trust_mark_type: 'x', trust_mark: 'a.b.c' }] },
  ])('are not seen in %j', (claims) => {
    expect(olderNamesIn(claims)).toEqual([]);
  });

  it('are not looked for in what cannot be decoded', () => {
    expect(['', 'a.b.c', undefined].map(olderNamesInJwt)).toEqual([[], [], []]);
  });

  it('are a few of many, in places that can be read', () => {
    const marks = Array.from({ length: 1000 }, () => ({ id: 'x', trust_mark: 'y' }));
    const metadata = { ['x'.repeat(1000)]: { homepage_uri: 'x' } };
    expect(olderNamesIn({ metadata })).toEqual([]);
    expect(olderNamesIn({ trust_marks: marks, metadata })).toHaveLength(20);
  });

  it('come with what took their place', () => {
    const [name] = olderNamesIn({ trust_marks_issuers: {} });
    expect(name && olderNameText(name)).toBe(
      'trust_marks_issuers is a name of older drafts and ignored; since draft 31 it is trust_mark_issuers',
    );
  });
});
