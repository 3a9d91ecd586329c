/** F24: the OCSP responder, asked over HTTP as servers ask it; OpenSSL reads and verifies what it says. */
import { X509Certificate } from 'node:crypto';
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OCSP_VALIDITY_SECONDS, OcspResponses } from '../../../src/issuance/certificates/ocsp-responses.ts';
import { clearToken } from '../../../src/jobs/clear-token.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { CertificationAuthority } from '../../../src/registry/certification/certification-authority.ts';
import { approveCertificateRequest } from '../../../src/registry/certification/decide-certificate-request.ts';
import { requestCertificate } from '../../../src/registry/certification/request-certificate.ts';
import { retireCertificationAuthority } from '../../../src/registry/certification/retire-certification-authority.ts';
import type { Credential } from '../../../src/registry/credentials/credential.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import type { Signer } from '../../../src/signer/signer.ts';
import { certificationAuthorities, ocspSigners } from '../../../src/storage/schema/certification-authorities.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { NO_SUCH_ID } from '../../support/api-service.ts';
import { requestPem } from '../../support/certificate-requests.ts';
import { pem } from '../../support/certificates.ts';
import { certificationAuthority, certificationContext, type TestRoot, testRoot } from '../../support/certification.ts';
import { databaseWithFeedSwitch } from '../../support/lagging-feed.ts';
import { type OcspRequestPlan, ocspRequest, openSslText, statusesIn, verifyByOpenSsl } from '../../support/ocsp.ts';
import { actor, testSigner } from '../../support/registry.ts';
import { RemovableToken } from '../../support/removable-token.ts';
import { startTestService, TestService } from '../../support/service.ts';

const APPROVER = actor({ roles: ['approver'], id: 'approver' });
const REASON = 'a reason of the test';
const NEVER_GIVEN = '4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a';

interface Deployment extends AsyncDisposable {
  service: TestService;
  origin: string;
  authority: Authority;
  issuer: CertificationAuthority;
  root: TestRoot;
  /** DER of the certificate of the issuer. */
  certificate: Buffer;
  issue: () => Promise<Credential>;
}

async function deploymentOn(service: TestService): Promise<Deployment> {
  const server = await service.listen();
  const authority = await service.authority();
  const root = testRoot();
  const issuer = await certificationAuthority(service, authority, { root });
  const issue = async (): Promise<Credential> => {
    const { id } = await service.entity(await service.organisation(authority));
    const asked = { request: requestPem(), profile: 'client', certificationAuthorityId: issuer.id } as const;
    const { request } = await requestCertificate(certificationContext(service), id, asked);
    const context = certificationContext(service, APPROVER);
    const { credential } = await approveCertificateRequest(context, request.id, REASON);
    if (credential === null) throw new Error('it was approved');
    return credential;
  };
  return {
    ...{ service, origin: server.origin, authority, issuer, root, issue },
    certificate: Buffer.from(issuer.x5c?.[0] ?? '', 'base64'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

let here: Deployment;
beforeAll(async () => {
  here = await deploymentOn(await startTestService('embedded'));
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  expect(here.service.failures).toEqual([]);
  await here.service[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
}

async function send(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

const urlOf = ({ origin, issuer }: Pick<Deployment, 'origin' | 'issuer'> = here) => `${origin}/ca/${issuer.id}/ocsp`;
const post = (body: Uint8Array, to: Pick<Deployment, 'origin' | 'issuer'> = here) =>
  send(urlOf(to), {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/ocsp-request' },
  });
const get = (body: Uint8Array, headers: Record<string, string> = {}) =>
  send(`${urlOf()}/${encodeURIComponent(Buffer.from(body).toString('base64'))}`, { headers });
const requestFor = (serials: readonly (string | null)[], plan: Partial<OcspRequestPlan> = {}) =>
  ocspRequest({ issuer: here.certificate, serials: serials.map((serial) => serial ?? ''), ...plan });

async function statuses(serials: readonly (string | null)[], to = here): Promise<string[]> {
  const { status, headers, body } = await post(requestFor(serials, { issuer: to.certificate }), to);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/ocsp-response']);
  return statusesIn(body);
}

async function refusalOf(body: Uint8Array): Promise<string> {
  const { status, headers, body: answer } = await post(body);
  expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
    200,
    'application/ocsp-response',
    'no-store',
  ]);
  return statusesIn(answer).join();
}

function verified(response: Uint8Array, request: Uint8Array, at = here.service.clock.now()) {
  const [issuer, root] = [pem(here.certificate), pem(here.root.der)];
  return verifyByOpenSsl(response, { request, root, issuer, at });
}

describe('[F24] the OCSP responder', () => {
  it('says good of what was issued, unknown of what was not, and revoked with the reason', async () => {
    const [good, bad] = [await here.issue(), await here.issue()];
    await revokeCredential(here.service.context(), bad.id, { reasonCode: 'key_compromise', reason: REASON });
    expect(await statuses([good.serial])).toEqual(['good']);
    expect(await statuses([NEVER_GIVEN])).toEqual(['unknown']);
    expect(await statuses([bad.serial])).toEqual(['revoked keyCompromise']);
    expect(await statuses([bad.serial, NEVER_GIVEN, good.serial])).toEqual([
      'revoked keyCompromise',
      'unknown',
      'good',
    ]);
  });

  it('is believed by OpenSSL below the root, with issuers named by SHA-1 or SHA-256, with a nonce or without', async () => {
    const { serial } = await here.issue();
    for (const hash of ['sha1', 'sha256'] as const) {
      for (const nonce of [undefined, Buffer.alloc(1, 7), Buffer.alloc(32, 9)]) {
        const request = requestFor([serial], { hash, ...(nonce && { nonce }) });
        const { body } = await post(request);
        const { isVerified, text } = verified(body, request);
        expect(isVerified, text).toBe(true);
      }
    }
  });

  it('has a signer of its own, which nobody needs to ask about, for at most 30 days', async () => {
    const { serial } = await here.issue();
    const { body } = await post(requestFor([serial]));
    const text = openSslText(body);
    const [, encoded = ''] = /(-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----)/.exec(text) ?? [];
    const signer = new X509Certificate(encoded);
    expect(signer.verify(new X509Certificate(here.certificate).publicKey)).toBe(true);
    expect(signer.keyUsage).toEqual(['1.3.6.1.5.5.7.3.9']);
    expect(text).toContain('OCSP No Check');
    const [from, to] = [signer.validFrom, signer.validTo].map((date) => Date.parse(date));
    expect(((to ?? 0) - (from ?? 0)) / 86_400_000).toBeLessThanOrEqual(30);
    // The key of the certification authority signs no answers.
    expect(signer.fingerprint256).not.toBe(new X509Certificate(here.certificate).fingerprint256);
  });

  it('follows a hold and its release, a suspension and its end, as soon as each is answered', async () => {
    const { serial, id, entityId } = await here.issue();
    const context = () => here.service.context();
    expect(await statuses([serial])).toEqual(['good']);
    await holdCredential(context(), id, 'hold', REASON);
    expect(await statuses([serial])).toEqual(['revoked certificateHold']);
    await holdCredential(context(), id, 'release', REASON);
    expect(await statuses([serial])).toEqual(['good']);
    await transitionEntity(context(), entityId, 'suspend', REASON);
    expect(await statuses([serial])).toEqual(['revoked certificateHold']);
    await transitionEntity(context(), entityId, 'reinstate', REASON);
    expect(await statuses([serial])).toEqual(['good']);
    await transitionEntity(context(), entityId, 'revoke', REASON);
    expect(await statuses([serial])).toEqual(['revoked privilegeWithdrawn']);
  });

  it('follows a suspension of the organisation', async () => {
    const { serial, organisationId } = await here.issue();
    expect(await statuses([serial])).toEqual(['good']);
    await transitionOrganisation(here.service.context(), organisationId, 'suspend', REASON);
    expect(await statuses([serial])).toEqual(['revoked certificateHold']);
    await transitionOrganisation(here.service.context(), organisationId, 'reinstate', REASON);
    expect(await statuses([serial])).toEqual(['good']);
  });

  it('repeats the nonce, and signs each such answer for itself', async () => {
    const { serial } = await here.issue();
    const nonce = Buffer.from('0123456789abcdef0123456789abcdef');
    const request = requestFor([serial], { nonce });
    const [one, other] = [await post(request), await post(request)];
    expect(one.body.equals(other.body)).toBe(false);
    expect(openSslText(one.body).replaceAll(/[^0-9A-F]/gi, '')).toContain(`0420${nonce.toString('hex').toUpperCase()}`);
    expect(one.headers.get('cache-control')).toBe('no-store');
    expect(one.headers.get('etag')).toBeNull();
  });

  it('keeps an answer without nonce, for as long as nothing changes and half of its time', async () => {
    const [{ serial }, other] = [await here.issue(), await here.issue()];
    const request = requestFor([serial]);
    const first = await post(request);
    expect((await post(request)).body.equals(first.body)).toBe(true);
    expect((await get(request)).body.equals(first.body)).toBe(true);
    here.service.clock.advance(OCSP_VALIDITY_SECONDS / 2 - 1);
    expect((await post(request)).body.equals(first.body)).toBe(true);
    here.service.clock.advance(1);
    const second = await post(request);
    expect(second.body.equals(first.body)).toBe(false);
    await revokeCredential(here.service.context(), other.id, { reasonCode: 'superseded', reason: REASON });
    const third = await post(request);
    expect(third.body.equals(second.body)).toBe(false);
    expect(statusesIn(third.body)).toEqual(['good']);
  });

  it('speaks in whole seconds, for ten minutes, and not beyond a moment at which it is otherwise', async () => {
    const { serial, id } = await here.issue();
    const bytes = (await post(requestFor([serial]))).body.toString('latin1');
    expect(bytes).not.toMatch(/\d{14}\.\d/);
    const dates = datesIn((await post(requestFor([serial]))).body);
    expect(dates['Next Update'] - dates['This Update']).toBe(OCSP_VALIDITY_SECONDS);
    const at = here.service.clock.now();
    expect(dates['This Update']).toBeGreaterThan(at - OCSP_VALIDITY_SECONDS / 2);
    // Its place is taken in 100 seconds.
    const supersededAt = new Date((at + 100) * 1000);
    await here.service.db.update(credentials).set({ supersededAt }).where(eq(credentials.id, id));
    await holdCredential(here.service.context(), (await here.issue()).id, 'hold', REASON);
    const before = datesIn((await post(requestFor([serial]))).body);
    expect(before['Next Update']).toBe(at + 100);
    here.service.clock.advance(99);
    expect(await statuses([serial])).toEqual(['good']);
    here.service.clock.advance(1);
    expect(await statuses([serial])).toEqual(['revoked superseded']);
  });

  it('answers GET and POST alike, with what caches need', async () => {
    const { serial } = await here.issue();
    const request = requestFor([serial]);
    const [posted, got] = [await post(request), await get(request)];
    expect(got.body.equals(posted.body)).toBe(true);
    const unescaped = await send(`${urlOf()}/${request.toString('base64')}`);
    expect(unescaped.body.equals(posted.body)).toBe(true);
    const { headers } = got;
    expect(headers.get('cache-control')).toBe('public, max-age=60, no-transform, must-revalidate');
    const at = here.service.clock.now() * 1000;
    expect(Date.parse(headers.get('last-modified') ?? '')).toBe(at);
    expect(Date.parse(headers.get('expires') ?? '')).toBe(at + 60_000);
    expect(headers.get('x-registry-seq')).toBe(String(await here.service.seq()));
    const etag = headers.get('etag') ?? '';
    const unchanged = await get(request, { 'if-none-match': etag });
    expect([unchanged.status, unchanged.body.length, unchanged.headers.get('etag')]).toEqual([304, 0, etag]);
    const head = await send(`${urlOf()}/${encodeURIComponent(request.toString('base64'))}`, { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers.get('etag')]).toEqual([200, 0, etag]);
  });

  it('refuses other methods and paths like everything else', async () => {
    const put = await send(urlOf(), { method: 'PUT', body: 'x' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await send(urlOf())).status).toBe(405);
    expect((await send(`${here.origin}/ca/nobody/ocsp`, { method: 'POST', body: 'x' })).status).toBe(404);
  });

  it('does not speak for others: unauthorized', async () => {
    const { serial } = await here.issue();
    const stranger = await certificationAuthority(here.service, here.authority);
    const strange = Buffer.from(stranger.x5c?.[0] ?? '', 'base64');
    expect(await refusalOf(requestFor([serial], { issuer: strange }))).toBe('unauthorized');
    expect(await refusalOf(requestFor([serial], { issuer: here.root.der }))).toBe('unauthorized');
    expect(await refusalOf(requestFor([serial], { hash: 'sha512' }))).toBe('unauthorized');
    const nowhere = await post(requestFor([serial]), { ...here, issuer: { ...here.issuer, id: NO_SUCH_ID } });
    expect(statusesIn(nowhere.body)).toEqual(['unauthorized']);
  });

  it('refuses what is no request: malformedRequest', async () => {
    const { serial } = await here.issue();
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), requestFor([]), requestFor(Array(11).fill(serial))]) {
      expect(await refusalOf(bytes)).toBe('malformedrequest');
    }
    for (const nonce of [Buffer.alloc(0), Buffer.alloc(33), Buffer.alloc(10_000)]) {
      expect(await refusalOf(requestFor([serial], { nonce }))).toBe('malformedrequest');
    }
    for (const text of ['%', '%zz', 'not+base64!', 'AAAA=A']) {
      expect(statusesIn((await send(`${urlOf()}/${text}`)).body)).toEqual(['malformedrequest']);
    }
  });

  it('does not read a body that is too long to its end', async () => {
    const { status } = await post(Buffer.alloc(100_000)).catch(() => ({ status: 413 }));
    expect(status).toBe(413);
  });

  it('gives nothing but OCSP responses to whatever is posted', async () => {
    const { serial } = await here.issue();
    const good = requestFor([serial], { nonce: Buffer.alloc(16, 1) });
    const change = fc.record({ at: fc.nat(good.length - 1), bytes: fc.uint8Array({ maxLength: 4 }), cut: fc.nat(4) });
    const mutated = fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes) =>
        changes.reduce<Buffer>(
          (given, { at, bytes, cut }) => Buffer.concat([given.subarray(0, at), bytes, given.subarray(at + cut)]),
          good,
        ),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), async (bytes) => {
        const { status, headers, body } = await post(bytes);
        expect([status, headers.get('content-type')]).toEqual([200, 'application/ocsp-response']);
        // A sequence that fills it, with a status of those that there are.
        const start = (body[1] ?? 0) < 0x80 ? 2 : 2 + ((body[1] ?? 0) & 0x7f);
        expect([body[0], body[start], body[start + 1], [0, 1, 6].includes(body[start + 2] ?? -1)]).toEqual([
          ...[0x30, 0x0a, 0x01],
          true,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on for a certification authority that is retired', async () => {
    await using other = await deploymentOn(here.service);
    const { serial } = await other.issue();
    await retireCertificationAuthority(here.service.context(), other.issuer.id, REASON);
    expect(await statuses([serial], other)).toEqual(['good']);
  });

  it('serves nothing beyond its end, to the last second of the certification authority, in which it says nothing', async () => {
    await using other = await deploymentOn(here.service);
    const { serial } = await other.issue();
    const end = here.service.clock.now() + 100;
    const isThis = eq(certificationAuthorities.id, other.issuer.id);
    const notAfter = new Date(end * 1000);
    await here.service.db.update(certificationAuthorities).set({ notAfter }).where(isThis);
    for (const secondsLeft of [100, 10, 1]) {
      here.service.clock.advance(end - secondsLeft - here.service.clock.now());
      const { body } = await post(requestFor([serial], { issuer: other.certificate }), other);
      expect(statusesIn(body)).toEqual(['good']);
      expect(datesIn(body)['Next Update']).toBe(end);
    }
    here.service.clock.advance(1);
    expect(await statuses([serial], other)).toEqual(['unauthorized']);
  });

  it('makes an answer anew that came to its end while it was signed', async () => {
    await using other = await deploymentOn(here.service);
    const { serial, id } = await other.issue();
    const supersededAt = new Date((here.service.clock.now() + 5) * 1000);
    await here.service.db.update(credentials).set({ supersededAt }).where(eq(credentials.id, id));
    const { db, clock, certification } = here.service;
    const slow: Pick<Signer, 'signDer'> = {
      signDer: async (...what) => {
        clock.advance(5);
        return await testSigner.signDer(...what);
      },
    };
    const responses = new OcspResponses({ db, clock, signer: slow, signers: certification.ocspSigners });
    const { body, nextUpdate } = await responses.answer(
      other.issuer.id,
      requestFor([serial], { issuer: other.certificate }),
    );
    expect(statusesIn(body)).toEqual(['revoked superseded']);
    expect(nextUpdate).toBeGreaterThan(here.service.clock.now());
  });

  it('says nothing more once the certification authority has ended', async () => {
    await using other = await deploymentOn(here.service);
    const { serial } = await other.issue();
    const notAfter = new Date((here.service.clock.now() - 1) * 1000);
    const isThis = eq(certificationAuthorities.id, other.issuer.id);
    await here.service.db.update(certificationAuthorities).set({ notAfter }).where(isThis);
    expect(await statuses([serial], other)).toEqual(['unauthorized']);
  });
});

function datesIn(response: Uint8Array): Record<'This Update' | 'Next Update' | 'Produced At', number> {
  const found = [...openSslText(response).matchAll(/(This Update|Next Update|Produced At): (.+)/g)];
  return Object.fromEntries(found.map(([, name, date = '']) => [name, Date.parse(date) / 1000])) as ReturnType<
    typeof datesIn
  >;
}

describe('[F24] signers of OCSP responses', () => {
  const signersOf = async ({ issuer }: Deployment) =>
    await here.service.db.select().from(ocspSigners).where(eq(ocspSigners.certificationAuthorityId, issuer.id));
  const renew = (service = here.service) => service.certification.ocspSigners.renew(new AbortController().signal);

  it('are made once, however many ask first', async () => {
    await using other = await deploymentOn(here.service);
    const { serial } = await other.issue();
    expect(await signersOf(other)).toEqual([]);
    await Promise.all(Array.from({ length: 8 }, () => statuses([serial], other)));
    expect(await signersOf(other)).toHaveLength(1);
  });

  it('are renewed at half of their time, and forgotten with their key after their end', async () => {
    await using other = await deploymentOn(here.service);
    const { serial } = await other.issue();
    await renew();
    const [first] = await signersOf(other);
    if (first === undefined) throw new Error('one was made');
    await renew();
    expect(await signersOf(other)).toHaveLength(1);
    here.service.clock.advance(14 * 86_400);
    await renew();
    expect(await signersOf(other)).toHaveLength(2);
    const request = requestFor([serial], { issuer: other.certificate });
    const { body } = await post(request, other);
    const at = here.service.clock.now();
    const [issuer, root] = [pem(other.certificate), pem(other.root.der)];
    expect(verifyByOpenSsl(body, { request, root, issuer, at }).isVerified).toBe(true);
    expect(body.includes(Buffer.from(first.certificate))).toBe(false);
    // By the clock of the database.
    const notAfter = new Date(Date.now() - 2 * 3_600_000);
    await here.service.db.update(ocspSigners).set({ notAfter }).where(eq(ocspSigners.id, first.id));
    await renew();
    expect((await signersOf(other)).map(({ id }) => id)).not.toContain(first.id);
  });

  it('last as long as the certification authority at most; then none is made after them', async () => {
    await using other = await deploymentOn(here.service);
    const notAfter = new Date((here.service.clock.now() + 10 * 86_400) * 1000);
    const isThis = eq(certificationAuthorities.id, other.issuer.id);
    await here.service.db.update(certificationAuthorities).set({ notAfter }).where(isThis);
    await renew();
    here.service.clock.advance(9 * 86_400);
    await renew();
    expect((await signersOf(other)).map((signer) => signer.notAfter)).toEqual([notAfter]);
  });
});

describe('[F24] an OCSP responder that does not know', () => {
  it('says tryLater while its state is not confirmed, and never what was true before', async () => {
    const { database, feed } = await databaseWithFeedSwitch();
    await using service = await TestService.start(database, {});
    await using other = await deploymentOn(service);
    const { serial } = await other.issue();
    expect(await statuses([serial], other)).toEqual(['good']);
    feed.isCut = true;
    service.monotonic.aheadMs += 10_000;
    expect(await statuses([serial], other)).toEqual(['trylater']);
    feed.isCut = false;
    expect(await statuses([serial], other)).toEqual(['good']);
  });
});

describe('[F24] an OCSP responder with its key in a token', () => {
  it('says tryLater while the token is away, but for answers that it has, and has the key destroyed at its end', async () => {
    const token = new RemovableToken();
    await using service = await startTestService('embedded', {}, token.custody);
    await using other = await deploymentOn(service);
    const [{ serial }, { serial: another }] = [await other.issue(), await other.issue()];
    expect(await statuses([serial], other)).toEqual(['good']);
    token.isAway = true;
    expect(await statuses([serial], other)).toEqual(['good']);
    expect(await statuses([another], other)).toEqual(['trylater']);
    service.clock.advance(OCSP_VALIDITY_SECONDS / 2);
    expect(await statuses([serial], other)).toEqual(['trylater']);
    token.isAway = false;
    expect(await statuses([serial, another], other)).toEqual(['good', 'good']);
    expect(service.failures).toEqual([]);

    const [signer] = await service.db.select().from(ocspSigners);
    const place = signer?.tokenObject ?? '';
    const clear = () => clearToken({ db: service.db, token });
    await clear();
    expect(token.keys.has(place)).toBe(true);
    await service.db.update(ocspSigners).set({ notAfter: new Date(Date.now() - 2 * 3_600_000) });
    await service.certification.ocspSigners.renew(new AbortController().signal);
    await clear();
    expect(token.keys.has(place)).toBe(false);
    const left = await service.db.select().from(ocspSigners);
    expect(left.map(({ tokenObject }) => tokenObject)).not.toContain(place);
  });
});

describe('[F24] two nodes', () => {
  it('say the same within five seconds of a revocation, with one signer', async () => {
    const shared = { ...here.service.database, [Symbol.asyncDispose]: async () => {} };
    await using second = await TestService.start(shared, {});
    await using server = await second.listen();
    const there = { ...here, origin: server.origin };
    const { serial, id } = await here.issue();
    await vi.waitFor(async () => expect(await statuses([serial], there)).toEqual(['good']));
    await revokeCredential(here.service.context(), id, { reasonCode: 'key_compromise', reason: REASON });
    expect(await statuses([serial])).toEqual(['revoked keyCompromise']);
    await vi.waitFor(async () => expect(await statuses([serial], there)).toEqual(['revoked keyCompromise']), 5_000);
  });
});
