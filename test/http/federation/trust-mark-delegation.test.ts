import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import { parseEntityStatement } from '../../../src/federation/statement/validate-statement.ts';
import { parseTrustMarkDelegation } from '../../../src/federation/trust-mark/delegation.ts';
import { validateTrustMark } from '../../../src/federation/trust-mark/validate-trust-mark.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { activateAuthorityKey } from '../../../src/registry/authorities/keys/activate-authority-key.ts';
import { announceAuthorityKey } from '../../../src/registry/authorities/keys/announce-authority-key.ts';
import { revokeAuthorityKey } from '../../../src/registry/authorities/keys/revoke-authority-key.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { makeTrustMarkDelegation } from '../../../src/registry/trust-marks/make-trust-mark-delegation.ts';
import { renewTrustMarkDelegation } from '../../../src/registry/trust-marks/renew-trust-mark-delegation.ts';
import { MARKS_AND_DELEGATIONS } from '../../../src/registry/trust-marks/signed-by-key.ts';
import { claimsOf, headerOf, jwtOf } from '../../support/answers.ts';
import { ApiClient, refusalOf as problemOf } from '../../support/api-client.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { refusalOf } from '../../support/refusal.ts';
import { freshIdentifier, generateTestKey, outcome } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { entry } from '../../support/trust-marks.ts';

describe.each(DATABASE_KINDS)('a Trust Mark type that one authority owns and another issues, on %s', (kind) => {
  let service: TestService;
  let admin: ApiClient;
  let anchor: Authority;
  let owner: Authority;
  let issuer: Authority;
  let trustMarkType: string;

  beforeAll(async () => {
    service = await startTestService(kind);
    admin = new ApiClient(service.app, await service.bearer(['admin']));
    [anchor, owner, issuer] = await Promise.all([service.authority(), service.authority(), service.authority()]);
    trustMarkType = `${freshIdentifier('marks')}/audited`;
    const trustMarkOwners = {
      [trustMarkType]: { sub: owner.entityIdentifier, jwks: (await service.jwks(owner)) as never },
    };
    const trustMarkIssuers = { [trustMarkType]: [issuer.entityIdentifier] };
    await updateAuthority(service.context(), anchor.id, { trustMarkIssuers, trustMarkOwners });
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  const configurationOf = async (authority: Authority) =>
    parseEntityStatement(await jwtOf(await service.ask(authority, 'configuration'), MEDIA_TYPE.entityStatement));

  const DELEGATIONS = '/api/v1/trust-mark-delegations';

  async function delegated(terms: object = {}): Promise<{ id: string; jwt: string; etag: string; kid: string }> {
    const to = { authorityId: owner.id, trustMarkType, issuer: issuer.entityIdentifier, ...terms };
    const { status, body, etag } = await admin.post(DELEGATIONS, to);
    expect([status, body.detail]).toEqual([201, undefined]);
    return { ...body, etag };
  }

  it('[OIDFED-7.2-1] is listed by the Trust Anchor with its owner and issuers', async () => {
    const { claims } = await configurationOf(anchor);
    expect(claims.trust_mark_issuers).toEqual({ [trustMarkType]: [issuer.entityIdentifier] });
    expect(claims.trust_mark_owners).toEqual({
      [trustMarkType]: { sub: owner.entityIdentifier, jwks: await service.jwks(owner) },
    });
    for (const other of [owner, issuer]) {
      expect((await configurationOf(other)).claims).not.toHaveProperty('trust_mark_owners');
    }
  });

  it('[OIDFED-7.2.1-1] is issued under the delegation that the owner gives, and a reader believes it', async () => {
    const end = service.clock.now() + 1800;
    const { id, jwt, etag } = await delegated({ ref: 'https://owner.example/terms', expiresAt: dateText(end) });
    expect(headerOf(jwt)).toMatchObject({
      typ: 'trust-mark-delegation+jwt',
      kid: (await service.jwks(owner)).keys[0]?.kid,
    });
    expect(parseTrustMarkDelegation(jwt).claims).toEqual({
      iss: owner.entityIdentifier,
      sub: issuer.entityIdentifier,
      trust_mark_type: trustMarkType,
      iat: service.clock.now(),
      exp: end,
      ref: 'https://owner.example/terms',
    });
    const jwks = (await service.jwks(owner)) as never;
    const ownership = { owner: owner.entityIdentifier, jwks, delegation: jwt };
    const type = await service.trustMarkType(issuer, { trustMarkType, ownership });
    const { subject } = await service.trustMark(type);
    const query = { trust_mark_type: trustMarkType, sub: subject };
    const mark = await jwtOf(await service.ask(issuer, 'trustMark', query), MEDIA_TYPE.trustMark);
    expect(claimsOf(mark)).toMatchObject({ delegation: jwt, exp: end });
    const context = {
      bearer: subject as EntityIdentifier,
      trustAnchor: await configurationOf(anchor),
      issuerKeys: await service.jwks(issuer),
    };
    const verdict = () =>
      refusalOf(validateTrustMark(entry(mark, trustMarkType), { ...context, now: service.clock.now() }));
    expect(await verdict()).toBe('accepted');
    service.clock.advance(1800);
    expect((await service.ask(issuer, 'trustMark', query)).status).toBe(404);
    expect(await (await service.ask(issuer, 'trustMarkList', { trust_mark_type: trustMarkType })).json()).toEqual([]);
    const renewed = await admin.post(`${DELEGATIONS}/${id}/renew`, { expiresAt: null }, { 'if-match': etag });
    expect(claimsOf(renewed.body.jwt)).not.toHaveProperty('exp');
    const change = { ownership: { ...ownership, delegation: renewed.body.jwt } };
    const changed = await admin.patch(`/api/v1/trust-mark-types/${type.id}`, change, { 'if-match': '"1"' });
    expect([changed.status, changed.body.delegationExpiresAt]).toEqual([200, null]);
    const next = await jwtOf(await service.ask(issuer, 'trustMark', query), MEDIA_TYPE.trustMark);
    expect(claimsOf(next)).toMatchObject({ delegation: renewed.body.jwt, exp: service.clock.now() + 3600 });
  });

  it('is delegated to each issuer once at a time', async () => {
    const to = { issuer: freshIdentifier('issuer') };
    const { id, kid } = await delegated(to);
    const again = { authorityId: owner.id, trustMarkType, ...to };
    expect(problemOf(await admin.post(DELEGATIONS, again))).toBe('409 delegation_exists');
    const lives = () =>
      MARKS_AND_DELEGATIONS.outstanding(service.db as never, kid, new Date(service.clock.now() * 1000));
    const { delegations } = await lives();
    const withdrawn = await admin.post(`${DELEGATIONS}/${id}/withdraw`, { reason: 'contract ended' });
    expect([withdrawn.body.state, (await lives()).delegations]).toEqual(['withdrawn', delegations - 1]);
    expect(problemOf(await admin.post(`${DELEGATIONS}/${id}/withdraw`, { reason: 'x' }))).toBe(
      '409 illegal_transition',
    );
    expect(problemOf(await admin.post(`${DELEGATIONS}/${id}/renew`, {}, { 'if-match': '*' }))).toBe(
      '409 illegal_transition',
    );
    await delegated(to);
  });

  it('counts for every key that signed a JWT of it until that expires, also where it was renewed', async () => {
    const context = () => service.context();
    const end = service.clock.now() + 1800;
    const outstanding = async (kid: string) =>
      (await MARKS_AND_DELEGATIONS.outstanding(service.db as never, kid, new Date(service.clock.now() * 1000)))
        .delegations;
    const to = { issuer: freshIdentifier('issuer'), expiresAt: dateText(end) };
    const { id, kid, jwt, etag } = await delegated(to);
    const before = await outstanding(kid);
    const { kid: next } = await announceAuthorityKey(context(), owner.id, {}, generateTestKey);
    await activateAuthorityKey(context(), owner.id, next, { isForced: true });
    const renewed = await admin.post(`${DELEGATIONS}/${id}/renew`, { expiresAt: null }, { 'if-match': etag });
    expect(headerOf(renewed.body.jwt)['kid']).toBe(next);
    expect(headerOf(jwt)['kid']).toBe(kid);
    expect([await outstanding(kid), await outstanding(next)]).toEqual([before, 1]);
    await admin.post(`${DELEGATIONS}/${id}/renew`, { expiresAt: dateText(end) }, { 'if-match': renewed.etag ?? '' });
    expect(await outstanding(next)).toBe(1);
    service.clock.advance(1800);
    expect(await outstanding(next)).toBe(1);
    expect(await outstanding(kid)).toBeLessThan(before);
  });

  it('is not given under a key that was revoked in that moment', async () => {
    const kid = (await service.jwks(owner)).keys.at(-1)?.kid ?? '';
    const tools = { generateKey: generateTestKey, signedByKey: MARKS_AND_DELEGATIONS };
    const revocation = { revocationReason: 'compromised', reason: 'stolen' };
    await revokeAuthorityKey(service.context(), owner.id, kid, revocation, tools);
    const late = async () => ({ jwt: 'a.b.c', kid });
    const terms = { trustMarkType, issuer: freshIdentifier('issuer') };
    expect(await outcome(makeTrustMarkDelegation(service.context(), owner.id, terms, late))).toBe('key_changed');
    const { id } = await delegated({ issuer: terms.issuer });
    expect(await outcome(renewTrustMarkDelegation(service.context(), id, {}, late))).toBe('key_changed');
  });

  it.each([
    ['/issuer', { issuer: 'x' }],
    ['/trustMarkType', { trustMarkType: 'member' }],
    ['/ref', { ref: 'javascript:alert(1)' }],
    ['/expiresAt', { expiresAt: '2020-01-01T00:00:00.000Z' }],
    ['/expiresAt', { expiresAt: '2099-01-01T00:00:00.000Z' }],
  ])('[OIDFED-7.2.1-1] is not delegated in terms that nobody could rely on: %s', async (pointer, terms) => {
    const to = { authorityId: owner.id, trustMarkType, issuer: freshIdentifier('issuer'), ...terms };
    expect(problemOf(await admin.post(DELEGATIONS, to))).toBe(`400 validation_failed ${pointer}`);
  });
});

function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
