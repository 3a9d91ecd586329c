import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { claimsOf, headerOf, refusalIn } from '../../support/answers.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { freshIdentifier } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

/** Two authorities of one deployment, on one host, that have nothing to do with each other. */
let service: TestService;
let first: Authority;
let second: Authority;
let server: FederationServer;

beforeAll(async () => {
  service = await startTestService('embedded', { resolveAnonymous: 'refuse' });
  const host = freshIdentifier('shared');
  first = await service.authority({ entityIdentifier: `${host}/first` });
  second = await service.authority({ entityIdentifier: `${host}/second` });
  const superiors = [first.entityIdentifier, second.entityIdentifier];
  const rp = { superiors, metadata: { openid_relying_party: { client_name: 'Shop' } } };
  server = await serveFederation(
    { rp, other: rp, third: rp, stranger: { superiors: ['anchor'] }, anchor: {} },
    { clock: service.clock },
  );
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

async function fetched(authority: Authority, sub: string): Promise<string> {
  const response = await service.ask(authority, 'fetch', { sub });
  return response.status === 200 ? await response.text() : await refusalIn(response);
}

async function resolved(authority: Authority, sub: string, towards: string[], headers = {}): Promise<string> {
  const response = await service.ask(authority, 'resolve', { sub, trust_anchor: towards }, { headers });
  return response.status === 200 ? await response.text() : await refusalIn(response);
}

async function listed(authority: Authority): Promise<unknown> {
  return await (await service.ask(authority, 'list')).json();
}

describe('a subject of one authority', () => {
  it('is unknown to the other, before and after the first one was asked', async () => {
    const { federation } = server;
    const sub = federation.id('other');
    const towards = [first.entityIdentifier, second.entityIdentifier];
    await service.admit(await service.organisation(first), federation, 'other');
    for (let round = 0; round < 2; round++) {
      expect(await fetched(second, sub)).toBe('404 not_found');
      expect(await resolved(second, sub, [second.entityIdentifier])).toBe('404 invalid_subject');
      expect(await resolved(second, sub, [first.entityIdentifier])).toBe('404 invalid_trust_anchor');
      expect(await listed(second)).toEqual([]);
      expect(claimsOf(await fetched(first, sub))).toMatchObject({ iss: first.entityIdentifier });
      expect(claimsOf(await resolved(first, sub, towards))).toMatchObject({ iss: first.entityIdentifier });
      expect(await listed(first)).toEqual([sub]);
    }
  });
});

describe('a subject of both authorities', () => {
  it('has statements, keys, policies, states and answers of its own with each', async () => {
    const { federation } = server;
    const sub = federation.id('rp');
    const policy = (value: string) => ({ openid_relying_party: { client_name: { value } } });
    const members = await service.organisation(first);
    await service.admit(members, federation, 'rp', { metadataPolicy: policy('First') });
    const record = await service.admit(await service.organisation(second), federation, 'rp', {
      metadataPolicy: policy('Second'),
    });
    const named = (name: string) => ({ metadata: { openid_relying_party: { client_name: name } } });
    const [kid, otherKid] = await Promise.all([first, second].map(async (it) => (await service.jwks(it)).keys[0]?.kid));
    const [ofFirst, ofSecond] = [await fetched(first, sub), await fetched(second, sub)];
    expect([headerOf(ofFirst)['kid'], headerOf(ofSecond)['kid']]).toEqual([kid, otherKid]);
    expect(claimsOf(await resolved(first, sub, [first.entityIdentifier]))).toMatchObject(named('First'));
    expect(claimsOf(await resolved(second, sub, [second.entityIdentifier]))).toMatchObject(named('Second'));

    await transitionEntity(service.context(), record.id, 'suspend', 'only here');
    expect(await fetched(second, sub)).toBe('404 not_found');
    expect(await resolved(second, sub, [second.entityIdentifier])).toBe('400 invalid_trust_chain');
    expect(await fetched(first, sub)).toBe(ofFirst);
    expect(claimsOf(await resolved(first, sub, [first.entityIdentifier]))).toMatchObject(named('First'));
    expect(await listed(first)).toContain(sub);
    expect(await listed(second)).not.toContain(sub);
  });

  it('keeps its bytes with one authority when the other changes', async () => {
    const { federation } = server;
    const sub = federation.id('third');
    await service.admit(await service.organisation(first), federation, 'third');
    await service.admit(await service.organisation(second), federation, 'third');
    const before = await fetched(first, sub);
    const configuration = await (await service.ask(first, 'configuration')).text();
    service.clock.advance(1);
    const defaultMetadataPolicy = { openid_provider: { contacts: { essential: true } } };
    await updateAuthority(service.context(), second.id, { name: 'Changed', defaultMetadataPolicy });
    expect(claimsOf(await fetched(second, sub))).toMatchObject({ metadata_policy: defaultMetadataPolicy });
    expect(await fetched(first, sub)).toBe(before);
    expect(await (await service.ask(first, 'configuration')).text()).toBe(configuration);
  });
});

describe('what one authority had evaluated', () => {
  it('is not answered by the other, though both trust the same anchor', async () => {
    const { federation } = server;
    const pin = { entityIdentifier: federation.id('anchor'), jwks: federation.jwks('anchor') };
    for (const authority of [first, second]) await pinTrustAnchor(service.context(), authority.id, pin);
    const [sub, towards] = [federation.id('stranger'), [pin.entityIdentifier]];
    const reader = await service.bearer(['auditor'], [first]);
    expect(await resolved(second, sub, towards, reader)).toBe('404 invalid_subject');
    expect(claimsOf(await resolved(first, sub, towards, reader))).toMatchObject({ iss: first.entityIdentifier });
    expect(claimsOf(await resolved(first, sub, towards))).toMatchObject({ iss: first.entityIdentifier });
    expect(await resolved(second, sub, towards)).toBe('404 invalid_subject');
    expect(await resolved(second, sub, towards, reader)).toBe('404 invalid_subject');
  });

  it('is not answered by an authority that does not trust the anchor', async () => {
    const { federation } = server;
    const third = await service.authority();
    const reader = await service.bearer(['admin']);
    expect(await resolved(third, federation.id('stranger'), [federation.id('anchor')], reader)).toBe(
      '404 invalid_trust_anchor',
    );
  });
});
