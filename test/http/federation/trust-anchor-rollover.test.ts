import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { SYSTEM } from '../../../src/registry/prepare-deployment.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { recordSeenKeys } from '../../../src/registry/trust-anchors/record-seen-keys.ts';
import { replaceTrustAnchorKeys } from '../../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import type { PinnedTrustAnchor } from '../../../src/registry/trust-anchors/trust-anchor.ts';
import { refusalIn } from '../../support/answers.ts';
import { ApiClient } from '../../support/api-client.ts';
import { NOW } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { testKey } from '../../support/keys.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const [first, second, third] = [await testKey('ES256', 41), await testKey('ES256', 42), await testKey('ES256', 43)];

let service: TestService;
let authority: Authority;
let server: FederationServer;
let pin: PinnedTrustAnchor;
let headers: { authorization: string };

beforeEach(async () => {
  service = await startTestService('embedded');
  authority = await service.authority();
  server = await serveFederation({ top: { keys: [first] }, op: { superiors: ['top'] } }, { clock: service.clock });
  const entityIdentifier = server.federation.id('top');
  pin = await pinTrustAnchor(service.context(), authority.id, { entityIdentifier, jwks: { keys: [first.jwk] } });
  headers = await service.bearer(['auditor']);
});

afterEach(async () => {
  expect(service.failures).toEqual([]);
  await server[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** After everything that is kept of others is stale. */
async function verdict(keys: (typeof first)[]): Promise<string> {
  server.federation.entity('top').keys = keys;
  service.clock.advance(301);
  const query = { sub: server.federation.id('op'), trust_anchor: server.federation.id('top') };
  const response = await service.ask(authority, 'resolve', query, { headers });
  return response.status === 200 ? 'resolved' : await refusalIn(response);
}

async function shown(): Promise<{ learned: unknown; lastAlarm: unknown }> {
  const { body } = await new ApiClient(service.app, headers).get(`/api/v1/trust-anchors/${pin.id}`);
  const { body: list } = await new ApiClient(service.app, headers).get('/api/v1/trust-anchors');
  expect(list.items).toEqual([body]);
  return body;
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

describe('a Trust Anchor that rolls over', () => {
  it('[OIDFED-11.2-4] is followed across a restart, and the API shows by which keys it is believed, and since when', async () => {
    expect(await verdict([first])).toBe('resolved');
    expect(await shown()).toMatchObject({ learned: null, lastAlarm: null });
    expect(await verdict([first, second])).toBe('resolved');
    const at = iso(service.clock.now());
    await expect.poll(shown).toMatchObject({ learned: { jwks: { keys: [first.jwk, second.jwk] }, at } });
    await service.restart();
    expect(await verdict([second])).toBe('resolved');
    await expect.poll(shown).toMatchObject({ learned: { jwks: { keys: [second.jwk] } } });
    await service.restart();
    expect(await verdict([second])).toBe('resolved');
  });

  it('is followed with what another node learned', async () => {
    expect(await verdict([first])).toBe('resolved');
    await recordSeenKeys(service.context(SYSTEM), {
      trustAnchor: pin.entityIdentifier,
      pinned: { keys: [first.jwk] },
      kind: 'learned',
      jwks: { keys: [second.jwk] },
      iat: service.clock.now() + 1,
    });
    expect(await verdict([second])).toBe('resolved');
  });

  it('begins anew with the keys that are pinned next', async () => {
    expect(await verdict([first, second])).toBe('resolved');
    await expect.poll(shown).toMatchObject({ learned: {} });
    await replaceTrustAnchorKeys(service.context(), pin.id, { jwks: { keys: [third.jwk] } });
    expect(await shown()).toMatchObject({ learned: null, lastAlarm: null });
    expect(await verdict([second])).toBe('400 invalid_trust_chain');
    expect(await verdict([third])).toBe('resolved');
    await replaceTrustAnchorKeys(service.context(), pin.id, { jwks: { keys: [first.jwk] } });
    expect(await verdict([second])).toBe('400 invalid_trust_chain');
  });

  it('[OIDFED-11.3-1] to keys that none of the believed vouches for raises an alarm that the API shows', async () => {
    expect(await verdict([first])).toBe('resolved');
    expect(await verdict([second])).toBe('400 invalid_trust_chain');
    expect(await verdict([second])).toBe('400 invalid_trust_chain');
    const at = iso(NOW + 3 * 301);
    await expect.poll(shown).toMatchObject({ learned: null, lastAlarm: { jwks: { keys: [second.jwk] }, at } });
    await service.restart();
    expect(await verdict([second])).toBe('400 invalid_trust_chain');
    expect(await shown()).toMatchObject({ learned: null, lastAlarm: { at } });
  });
});
