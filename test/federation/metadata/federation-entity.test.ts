/** Federation endpoints by the position of an entity in its federation. @see OIDFED §5.1.1 */
import { describe, expect, it } from 'vitest';
import { checkEndpointsOfPosition } from '../../../src/federation/metadata/federation-entity.ts';
import { refusal } from '../../support/refusal.ts';

const FETCH = { federation_fetch_endpoint: 'https://a.example/fetch' };
const LIST = { federation_list_endpoint: 'https://a.example/list' };
const RESOLVE = { federation_resolve_endpoint: 'https://a.example/resolve' };

describe('checkEndpointsOfPosition', () => {
  it.each([
    [{ ...FETCH, ...LIST }, 'accepted'],
    [{ ...FETCH, ...LIST, ...RESOLVE }, 'accepted'],
    [FETCH, 'metadata_invalid at /metadata/federation_entity/federation_list_endpoint'],
    [LIST, 'metadata_invalid at /metadata/federation_entity/federation_fetch_endpoint'],
    [{}, 'metadata_invalid at /metadata/federation_entity/federation_fetch_endpoint'],
  ])('[OIDFED-5.1.1-2] judges a superior with %j', (parameters, outcome) => {
    expect(refusal(() => checkEndpointsOfPosition({ federation_entity: parameters }, 'superior'))).toBe(outcome);
  });

  it.each([
    [{}, 'accepted'],
    [RESOLVE, 'accepted'],
    [FETCH, 'metadata_invalid at /metadata/federation_entity/federation_fetch_endpoint'],
    [{ ...LIST, ...RESOLVE }, 'metadata_invalid at /metadata/federation_entity/federation_list_endpoint'],
  ])('[OIDFED-5.1.1-2] judges a Leaf with %j', (parameters, outcome) => {
    expect(refusal(() => checkEndpointsOfPosition({ federation_entity: parameters }, 'leaf'))).toBe(outcome);
  });

  it('[OIDFED-5.1.1-3] wants federation_entity of a superior, and of whoever has a federation endpoint', () => {
    const judge = (metadata: Record<string, Record<string, string>>, position: 'superior' | 'leaf') =>
      refusal(() => checkEndpointsOfPosition(metadata, position));
    expect(judge({ openid_provider: {} }, 'superior')).toBe('metadata_invalid at /metadata/federation_entity');
    expect(judge({ openid_provider: {} }, 'leaf')).toBe('accepted');
    expect(judge({ openid_provider: RESOLVE }, 'leaf')).toBe(
      'metadata_invalid at /metadata/openid_provider/federation_resolve_endpoint',
    );
    expect(judge({ openid_provider: RESOLVE, federation_entity: {} }, 'leaf')).toBe('accepted');
  });
});
