import { afterAll, describe, expect, it } from 'vitest';
import { pinTrustAnchor } from '../../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { claimsOf } from '../../../support/answers.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { relyingParty, startApi } from '../../../support/api-service.ts';
import { serveFederation } from '../../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const NAMES = ['first', 'second', 'none'];

const { service } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);
const server = await serveFederation(
  { rp: relyingParty(authority), stranger: relyingParty(authority) },
  { clock: service.clock },
);
afterAll(() => server[Symbol.asyncDispose]());
await service.admit(organisation, server.federation, 'rp');

function path(parameters: Record<string, string>): string {
  return `/api/v1/resolutions/explain?${new URLSearchParams(parameters)}`;
}

const asked = (name: string) => ({ authority: authority.entityIdentifier, sub: server.federation.id(name) });

describe('GET /api/v1/resolutions/explain', () => {
  it('200: explains what resolves, to every reader', async () => {
    for (const client of [api.admin, api.registrar, api.approver, api.auditor]) {
      const { status, body } = await client.get(path({ ...asked('rp'), trust_anchor: authority.entityIdentifier }));
      expect([status, body.verdict]).toEqual([200, 'resolved']);
      expect(body.resolution.metadata.openid_relying_party).toBeDefined();
      expect(body.graph).toMatchObject({
        entity: server.federation.id('rp'),
        superiors: [{ statement: { issuer: authority.entityIdentifier, verdict: 'accepted' } }],
      });
      expect(body.chains).toMatchObject([{ verdict: 'chosen' }]);
    }
  });

  it('200: chooses the same Trust Anchor as the resolve endpoint, in whichever order they are asked for', async () => {
    const own = await service.authority();
    await using elsewhere = await serveFederation(
      { first: {}, second: {}, none: {}, rp: { superiors: ['second', own.entityIdentifier, 'first'] } },
      { clock: service.clock },
    );
    const { federation } = elsewhere;
    await service.admit(await service.organisation(own), federation, 'rp');
    for (const name of NAMES) {
      const pin = { entityIdentifier: federation.id(name), jwks: federation.jwks(name) };
      await pinTrustAnchor(service.context(), own.id, pin);
    }
    const ids = { own: own.entityIdentifier, ...Object.fromEntries(NAMES.map((name) => [name, federation.id(name)])) };
    const sub = federation.id('rp');
    for (const order of ['own first second', 'second own', 'first second own', 'none first', 'none own', 'none']) {
      const trustAnchors = order.split(' ').map((name) => ids[name as keyof typeof ids]);
      const answer = await service.ask(own, 'resolve', { sub, trust_anchor: trustAnchors });
      const chain = answer.status === 200 ? (claimsOf(await answer.text())['trust_chain'] as string[]) : [];
      const query = new URLSearchParams([
        ['authority', own.entityIdentifier],
        ['sub', sub],
      ]);
      for (const trustAnchor of trustAnchors) query.append('trust_anchor', trustAnchor);
      const { body } = await api.auditor.get(`/api/v1/resolutions/explain?${query}`);
      expect(body.trustAnchors).toEqual(trustAnchors);
      expect(body.resolution?.trustChain ?? []).toEqual(chain);
      const [chosen] = order.split(' ').filter((name) => name !== 'none');
      expect(body.resolution?.trustAnchor).toBe(ids[chosen as keyof typeof ids]);
    }
  });

  it('200: tells how old the oldest statement is', async () => {
    const own = await service.authority();
    await using below = await serveFederation({ rp: relyingParty(own) }, { clock: service.clock });
    await service.admit(await service.organisation(own), below.federation, 'rp');
    const question = path({ authority: own.entityIdentifier, sub: below.federation.id('rp') });
    const first = await api.auditor.get(question);
    expect(first.body.resolution.oldestAt).toBe(service.clock.now());
    service.clock.advance(100);
    const second = await api.auditor.get(question);
    expect(second.body.resolution.oldestAt).toBe(service.clock.now() - 100);
  });

  it('200: explains what does not, and who can mend it', async () => {
    const { status, body } = await api.auditor.get(path(asked('stranger')));
    expect([status, body.verdict]).toEqual([200, 'refused']);
    expect(body.attempts).toMatchObject([
      { reason: 'subject_not_active', whoCanMend: { role: 'trust_anchor', entity: authority.entityIdentifier } },
    ]);
  });

  it('400: takes identifiers, and Trust Anchors of the authority', async () => {
    const { authority: name, sub } = asked('rp');
    expect(refusalOf(await api.auditor.get(path({ authority: name })))).toBe('400 validation_failed /query/sub');
    expect(refusalOf(await api.auditor.get(path({ authority: name, sub: 'no URL' })))).toBe(
      '400 validation_failed /query/sub',
    );
    const foreign = path({ authority: name, sub, trust_anchor: 'https://other.example' });
    expect(refusalOf(await api.auditor.get(foreign))).toBe('400 validation_failed /query/trust_anchor');
  });

  it('401, 404: is for tokens that reach the authority', async () => {
    expect(refusalOf(await api.anonymous.get(path(asked('rp'))))).toBe('401 unauthenticated');
    const elsewhere = await api.client(['admin'], [await service.authority()]);
    expect(refusalOf(await elsewhere.get(path(asked('rp'))))).toBe('404 not_found');
    const nobody = { ...asked('rp'), authority: 'https://nobody.example' };
    expect(refusalOf(await api.admin.get(path(nobody)))).toBe('404 not_found');
  });
});
