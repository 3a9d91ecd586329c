import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE, TYP } from '../../../src/federation/media-types.ts';
import { validateTrustMarkStatus } from '../../../src/federation/trust-mark/status-response.ts';
import { parseTrustMark } from '../../../src/federation/trust-mark/trust-mark.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { revokeAuthorityKey } from '../../../src/registry/authorities/keys/revoke-authority-key.ts';
import { pruneExpired } from '../../../src/registry/prune-expired.ts';
import { requestTrustMark } from '../../../src/registry/trust-marks/request-trust-mark.ts';
import { MARKS_AND_DELEGATIONS } from '../../../src/registry/trust-marks/signed-by-key.ts';
import { transitionTrustMark } from '../../../src/registry/trust-marks/transition-trust-mark.ts';
import type { TrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { authorityKeys } from '../../../src/storage/schema/authority-keys.ts';
import { issuedTrustMarks } from '../../../src/storage/schema/trust-marks.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { signJwt, testKey, withPart } from '../../support/keys.ts';
import { freshIdentifier, generateTestKey } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('the Trust Mark status endpoint on the %s database', (kind) => {
  let service: TestService;
  let authority: Authority;
  let type: TrustMarkType;

  beforeAll(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
    type = await service.trustMarkType(authority);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  /** The present mark of a fresh bearer. */
  async function issued(of = type, from = authority): Promise<string> {
    const { subject } = await service.trustMark(of);
    const query = { trust_mark_type: of.trustMarkType, sub: subject };
    return await jwtOf(await service.ask(from, 'trustMark', query), MEDIA_TYPE.trustMark);
  }

  const answerTo = async (jwt: string, from = authority): Promise<string> =>
    await jwtOf(await service.askStatus(from, jwt), MEDIA_TYPE.trustMarkStatusResponse);

  const statusOf = async (jwt: string, from = authority): Promise<unknown> =>
    claimsOf(await answerTo(jwt, from))['status'];

  const refusalOf = async (jwt: string, from = authority): Promise<string> =>
    await refusalIn(await service.askStatus(from, jwt));

  it('[OIDFED-8.4-3] [OIDFED-8.4-4] answers with a signed JWT that echoes the mark, and nothing more than it must', async () => {
    const mark = await issued();
    const response = await service.askStatus(authority, mark);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const jwt = await jwtOf(response, 'application/trust-mark-status-response+jwt');
    const { kid } = headerOf(mark);
    expect(headerOf(jwt)).toEqual({ typ: 'trust-mark-status-response+jwt', alg: 'ES256', kid });
    expect(claimsOf(jwt)).toEqual({
      iss: authority.entityIdentifier,
      iat: service.clock.now(),
      trust_mark: mark,
      status: 'active',
    });
    const question = { mark: parseTrustMark(mark), issuerKeys: await service.jwks(authority) };
    await validateTrustMarkStatus(jwt, { ...question, now: service.clock.now() });
  });

  it('[OIDFED-8.4-5] says active, expired, revoked and invalid, each of it fresh', async () => {
    const { id, subject } = await service.trustMark(type);
    const query = { trust_mark_type: type.trustMarkType, sub: subject };
    const mark = await jwtOf(await service.ask(authority, 'trustMark', query), MEDIA_TYPE.trustMark);
    expect(await statusOf(mark)).toBe('active');
    service.clock.advance(3600);
    expect(claimsOf(await answerTo(mark))).toMatchObject({ status: 'expired', iat: service.clock.now() });
    const next = await jwtOf(await service.ask(authority, 'trustMark', query), MEDIA_TYPE.trustMark);
    expect([await statusOf(mark), await statusOf(next)]).toEqual(['expired', 'active']);
    await transitionTrustMark(service.context(), id, 'withdraw', 'audit failed');
    expect([await statusOf(mark), await statusOf(next)]).toEqual(['revoked', 'revoked']);
    expect(await statusOf(withPart(next, 2, () => 'AAAA'))).toBe('invalid');
  });

  it.each<[string, (mark: string) => string | Promise<string>]>([
    ['with another signature', (mark) => withPart(mark, 2, (part) => part.split('').reverse().join(''))],
    ['without a signature', (mark) => withPart(mark, 2, () => '')],
    ['with a header that says something else', (mark) => withPart(mark, 0, () => 'e30')],
    ['signed by somebody else', async (mark) => signJwt(await testKey('ES256', 77), TYP.trustMark, claimsOf(mark))],
    [
      'signed without an algorithm',
      (mark) =>
        `${Buffer.from('{"alg":"none","typ":"trust-mark+jwt"}').toString('base64url')}.${mark.split('.')[1]}.AA`,
    ],
    [
      'with a claim changed',
      (mark) =>
        withPart(mark, 1, () => Buffer.from(JSON.stringify({ ...claimsOf(mark), level: 9 })).toString('base64url')),
    ],
  ])('[OIDFED-8.4-5] says invalid of a mark of ours %s', async (_what, forge) => {
    const mark = await issued();
    expect(await statusOf(await forge(mark))).toBe('invalid');
    expect(await statusOf(mark)).toBe('active');
  });

  it('says invalid of what our own key signs past the records', async () => {
    const mark = await issued();
    const stranger = await service.authority();
    const [row] = await service.db.select().from(authorityKeys).where(eq(authorityKeys.authorityId, authority.id));
    expect(row?.state).toBe('active');
    // A stolen key would do no better than one of ours, used by another hand.
    await service.db.delete(issuedTrustMarks);
    await service.restart();
    expect(await statusOf(mark)).toBe('invalid');
    expect(await refusalOf(mark, stranger)).toBe('404 not_found');
  });

  it('[OIDFED-8.4-6] knows no mark of another issuer, nor one that it never issued', async () => {
    const stranger = await service.authority();
    const foreign = await issued(await service.trustMarkType(stranger), stranger);
    expect(await statusOf(foreign, stranger)).toBe('active');
    const { kid } = headerOf(foreign);
    const key = await testKey('ES256', 78);
    const base = { iss: authority.entityIdentifier, iat: service.clock.now(), trust_mark_type: type.trustMarkType };
    const never = { ...base, sub: freshIdentifier('never') };
    const forged = (claims: object) => signJwt(key, TYP.trustMark, claims, { header: { kid } });
    const pending = freshIdentifier('pending');
    await requestTrustMark(service.context(), { typeId: type.id, subject: pending });
    for (const jwt of [
      foreign,
      await forged({ ...never, iss: 'https://issuer.example' }),
      await forged(never),
      await forged({ ...base, sub: pending }),
      await forged({ ...never, trust_mark_type: 'https://marks.example/never' }),
      await forged({ ...never, sub: 7 }),
      await forged({}),
      await (await service.ask(authority, 'configuration')).text(),
    ]) {
      expect(await refusalOf(jwt)).toBe('404 not_found');
    }
  });

  it('says expired of a mark so old that it is no longer on record', async () => {
    const mark = await issued();
    service.clock.advance(30 * 86_400);
    expect(await statusOf(mark)).toBe('expired');
    await pruneExpired(service.db, new Date(service.clock.now() * 1000));
    expect(await service.db.select().from(issuedTrustMarks)).toEqual([]);
    await service.restart();
    expect(await statusOf(mark)).toBe('expired');
    expect(await statusOf(withPart(mark, 2, (part) => part.split('').reverse().join('')))).toBe('invalid');
  });

  it('says invalid of a mark that a revoked key signed, once it is no longer on record', async () => {
    const issuer = await service.authority();
    const mark = await issued(await service.trustMarkType(issuer), issuer);
    const tools = { generateKey: generateTestKey, signedByKey: MARKS_AND_DELEGATIONS };
    const revocation = { revocationReason: 'compromised', reason: 'stolen' };
    await revokeAuthorityKey(service.context(), issuer.id, String(headerOf(mark)['kid']), revocation, tools);
    service.clock.advance(30 * 86_400);
    await pruneExpired(service.db, new Date(service.clock.now() * 1000));
    await service.restart();
    expect(await statusOf(mark, issuer)).toBe('invalid');
  });

  it('says revoked of what a revoked key signed, and signs the answer and the next mark with another', async () => {
    const issuer = await service.authority();
    const marks = await service.trustMarkType(issuer);
    const { subject } = await service.trustMark(marks);
    const query = { trust_mark_type: marks.trustMarkType, sub: subject };
    const before = await jwtOf(await service.ask(issuer, 'trustMark', query), MEDIA_TYPE.trustMark);
    const kid = String(headerOf(before)['kid']);
    const tools = { generateKey: generateTestKey, signedByKey: MARKS_AND_DELEGATIONS };
    const revocation = { revocationReason: 'compromised', reason: 'stolen' };
    const { impact } = await revokeAuthorityKey(service.context(), issuer.id, kid, revocation, tools);
    expect(JSON.stringify(impact)).toContain('"trustMarks":1');
    const answer = await answerTo(before, issuer);
    expect([claimsOf(answer)['status'], headerOf(answer)['kid']]).toEqual([
      'revoked',
      expect.not.stringContaining(kid),
    ]);
    const after = await jwtOf(await service.ask(issuer, 'trustMark', query), MEDIA_TYPE.trustMark);
    expect(headerOf(after)['kid']).not.toBe(kid);
    expect(await statusOf(after, issuer)).toBe('active');
  });

  describe('asked wrongly', () => {
    const post = (body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) =>
      service.ask(authority, 'trustMarkStatus', {}, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);

    it('[OIDFED-8.4-2] serves POST alone', async () => {
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
        const response = await service.ask(authority, 'trustMarkStatus', { trust_mark: 'x' }, { method });
        expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
      }
    });

    it('[OIDFED-8.4-1] wants a form with the mark in it, once', async () => {
      const mark = await issued();
      const form = { 'content-type': MEDIA_TYPE.form };
      for (const response of [
        await post(''),
        await post(JSON.stringify({ trust_mark: mark }), { 'content-type': 'application/json' }),
        await post(`trust_mark=${mark}`, { 'content-type': 'text/plain' }),
        await post('trust_mark=', form),
        await post(`mark=${mark}`, form),
        await post(`trust_mark=${mark}&trust_mark=${mark}`, form),
      ]) {
        expect(await refusalIn(response)).toBe('400 invalid_request');
      }
      const charset = { 'content-type': `${MEDIA_TYPE.form};charset=UTF-8` };
      expect((await post(`x=1&trust_mark=${mark}`, charset)).status).toBe(200);
    });

    it('does not answer the question of older drafts, by subject and type', async () => {
      const { subject: sub } = await service.trustMark(type);
      const form = { 'content-type': MEDIA_TYPE.form };
      for (const name of ['trust_mark_id', 'trust_mark_type', 'id']) {
        const question = new URLSearchParams({ sub, [name]: type.trustMarkType }).toString();
        expect(await refusalIn(await post(question, form))).toBe('400 invalid_request');
      }
    });

    it.each(['x', 'a.b', 'a.b.c', 'e30.e30.e30.e30', 'e30.W10.AA', 'eyJhbGciOiJub25lIn0.e30=.', '..', 'é.é.é', '{}'])(
      'says 400 of %j, which is no JWT',
      async (text) => {
        expect(await refusalOf(text)).toBe('400 invalid_request');
      },
    );

    it('says 413 of more than 16 KB, however it comes', async () => {
      const at = 16 * 1024;
      expect(await refusalOf('a'.repeat(at))).toBe('400 invalid_request');
      expect(await refusalOf('a'.repeat(at + 1))).toBe('413 invalid_request');
      expect(await refusalOf('a'.repeat(10 * at))).toBe('413 invalid_request');
      const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4096).fill(97)) });
      expect(await refusalIn(await post(endless, { 'content-type': MEDIA_TYPE.form }))).toBe('413 invalid_request');
    });

    it('ends the patience with marks that are not on record, and not with those that are', async () => {
      const mark = await issued();
      expect(await statusOf(mark)).toBe('active');
      const garbled = withPart(mark, 2, () => 'AAAA');
      const statuses = new Set<number>();
      for (let asked = 0; asked < 3100; asked++) statuses.add((await service.askStatus(authority, garbled)).status);
      expect([...statuses].sort()).toEqual([200, 429]);
      expect(await statusOf(mark)).toBe('active');
    });
  });
});
