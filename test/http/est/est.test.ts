import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { makeCertificateCode } from '../../../src/registry/certification/certificate-codes.ts';
import { approveCertificateRequest } from '../../../src/registry/certification/decide-certificate-request.ts';
import { listCertificateRequests } from '../../../src/registry/certification/read-certificate-requests.ts';
import { listCredentials } from '../../../src/registry/credentials/read-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { requestDer, wantedUris } from '../../support/certificate-requests.ts';
import { CLIENT_NAME, distinguishedName, ecKey, type KeyPair, pem } from '../../support/certificates.ts';
import { certificationAuthority, certificationContext } from '../../support/certification.ts';
import { clientCertificate } from '../../support/credentials.ts';
import { certificatesOf, type EstAnswer, EstServer, type TlsIdentity } from '../../support/est-client.ts';
import { actor } from '../../support/registry.ts';
import { RemovableToken } from '../../support/removable-token.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const PAGE = { limit: 100 };

let stack: AsyncDisposableStack;
let service: TestService;
let est: EstServer;
let authority: Authority;
let issuer: { id: string; x5c: string[] | null };
let entity: Entity;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('embedded'));
  est = stack.use(await EstServer.open(service));
  authority = await service.authority();
  issuer = await certificationAuthority(service, authority);
});
afterAll(() => stack.disposeAsync());
beforeEach(async () => {
  entity = await service.entity(await service.organisation(authority));
});

const now = () => new Date(service.clock.now() * 1000);
/** By whoever may approve, unless told otherwise. */
const code = async (by = actor()) =>
  (await makeCertificateCode({ ...service.context(by), now: now() }, entity.id, { profile: 'client' })).code;
const identityOf = (key: KeyPair, der: Uint8Array): TlsIdentity => ({
  cert: pem(der),
  key: key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
});
const problem = ({ status, text }: { status: number; text: string }) => [status, JSON.parse(text).code];

/** With a fresh key and a code. */
async function enrolled(): Promise<{ key: KeyPair; der: Uint8Array; identity: TlsIdentity; credentialId: string }> {
  const key = ecKey();
  const { status, text } = await est.ask({ path: 'simpleenroll', body: requestDer({ key }), code: await code() });
  expect(status, text).toBe(200);
  const [der = new Uint8Array()] = certificatesOf(text);
  const { items } = await listCredentials(service.db, actor(), { entityId: entity.id }, PAGE, now());
  return { key, der, identity: identityOf(key, der), credentialId: items.at(-1)?.id ?? '' };
}

describe('[F25] cacerts and csrattrs', () => {
  it('[RFC7030-4.1] hand out the issuing certificate and those above it, to anybody', async () => {
    for (const path of ['cacerts', `${issuer.id}/cacerts`]) {
      const { status, headers, text } = await est.ask({ path });
      expect([status, headers['content-type'], headers['content-transfer-encoding']]).toEqual([
        200,
        'application/pkcs7-mime; smime-type=certs-only',
        'base64',
      ]);
      const given = certificatesOf(text).map((der) => Buffer.from(der).toString('base64'));
      expect(given.toSorted()).toEqual(issuer.x5c?.toSorted());
    }
  });

  it('say which label is none, and which request is asked for', async () => {
    expect(problem(await est.ask({ path: 'anything/cacerts' }))).toEqual([404, 'not_found']);
    expect(problem(await est.ask({ path: `${entity.id}/cacerts` }))).toEqual([404, 'not_found']);
    const { status, headers, text } = await est.ask({ path: 'csrattrs' });
    expect([status, headers['content-type'], text]).toEqual([
      200,
      'application/csrattrs',
      // SEQUENCE { SEQUENCE { ecPublicKey, SET { P-256 } }, ecdsa-with-SHA256 }
      'MCEwFQYHKoZIzj0CATEKBggqhkjOPQMBBwYIKoZIzj0EAwI=',
    ]);
  });
});

describe('[F25] simpleenroll', () => {
  it('[RFC7030-4.2] gives a certificate for a code, of whom the registry says, whatever the request does', async () => {
    const body = requestDer({ key: ecKey(), subject: CLIENT_NAME });
    const { status, headers, text } = await est.ask({ path: 'simpleenroll', body, code: await code() });
    expect([status, headers['content-type']]).toEqual([200, 'application/pkcs7-mime; smime-type=certs-only']);
    const [given, ...others] = certificatesOf(text);
    expect(others).toEqual([]);
    const { subject, subjectAltName } = new X509Certificate(given ?? new Uint8Array());
    expect(subject).toContain(`UID=${entity.id}`);
    expect(subject).not.toContain('client.partner.example');
    expect(subjectAltName).toBe(`URI:${entity.entityIdentifier}`);
  });

  it('[RFC7030-3.2.3] asks for a code of whoever has none', async () => {
    const answer = await est.ask({ path: 'simpleenroll', body: requestDer() });
    expect(problem(answer)).toEqual([401, 'code_invalid']);
    expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=/);
  });

  it('takes a code once, and the same request as often as it is sent', async () => {
    const given = await code();
    const body = requestDer();
    const first = await est.ask({ path: 'simpleenroll', body, code: given });
    const again = await est.ask({ path: 'simpleenroll', body, code: given });
    expect([first.status, again.status, again.text]).toEqual([200, 200, first.text]);
    const other = await est.ask({ path: 'simpleenroll', body: requestDer(), code: given });
    expect(problem(other)).toEqual([401, 'code_invalid']);
    const atAnother = await est.ask({ path: `${entity.id}/simpleenroll`, body, code: given });
    expect(problem(atAnother)).toEqual([401, 'code_invalid']);
    service.clock.advance(86_401);
    expect(problem(await est.ask({ path: 'simpleenroll', body, code: given }))).toEqual([401, 'code_invalid']);
  });

  it('[RFC7030-4.2.3] lets a request wait that somebody has to approve', async () => {
    const member = actor({
      roles: ['technical-contact'],
      organisations: [entity.organisationId],
    });
    const given = await code(member);
    const body = requestDer();
    const waiting = await est.ask({ path: 'simpleenroll', body, code: given });
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([202, '300']);
    const context = certificationContext(service, actor({ id: 'somebody else' }), { now: now() });
    const { items } = await listCertificateRequests(service.db, actor(), { entityId: entity.id }, PAGE);
    await approveCertificateRequest(context, items[0]?.id ?? '', 'a test');
    const answer = await est.ask({ path: 'simpleenroll', body, code: given });
    expect([answer.status, certificatesOf(answer.text).length]).toEqual([200, 1]);
  });

  it('gives nothing to who is suspended, to forgers, or for a key that was seen before', async () => {
    const { key } = await enrolled();
    const ask = async (body: Uint8Array | string, contentType?: string) =>
      problem(await est.ask({ path: 'simpleenroll', body, code: given, ...(contentType && { contentType }) }));
    const given = await code();
    expect(await ask(requestDer({ key }))).toEqual([409, 'key_reuse']);
    expect(await ask(requestDer({ signer: ecKey() }))).toEqual([400, 'csr_signature_invalid']);
    expect(await ask('no base64!')).toEqual([400, 'validation_failed']);
    expect(await ask(Buffer.from('no DER'))).toEqual([400, 'validation_failed']);
    expect(await ask(requestDer(), 'application/json')).toEqual([415, 'unsupported_media_type']);
    expect(await ask('A'.repeat(40_000))).toEqual([413, 'payload_too_large']);
    await transitionEntity({ ...service.context(), now: now() }, entity.id, 'suspend', {
      reason: 'a test',
      reasonCode: 'other',
    });
    expect(await ask(requestDer())).toEqual([403, 'not_active']);
  });

  it('[F30] asks to try again while the token is away that has the key, and takes the same code afterwards', async () => {
    const token = new RemovableToken();
    await using service = await startTestService('embedded', {}, token.custody);
    await using server = await EstServer.open(service);
    const authority = await service.authority();
    const { generateKey } = service.certification.tools;
    expect(await certificationAuthority(service, authority, { generateKey })).toMatchObject({ custody: 'pkcs11' });
    const { id } = await service.entity(await service.organisation(authority));
    const { code: given } = await makeCertificateCode(service.context(), id, { profile: 'client' });
    const key = ecKey();
    const question = { path: 'simpleenroll', body: requestDer({ key }), code: given };
    const issuedTo = async () => (await listCredentials(service.db, actor(), { entityId: id }, PAGE, new Date())).items;
    const requestsOf = async () =>
      (await listCertificateRequests(service.db, actor(), { entityId: id }, PAGE)).items.map(({ state }) => state);
    const expectTryAgain = (answer: EstAnswer) => {
      expect(problem(answer)).toEqual([503, 'temporarily_unavailable']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    };
    const seq = await service.seq();
    token.isAway = true;
    expectTryAgain(await server.ask(question));
    expect([await service.seq(), await issuedTo(), await requestsOf()]).toEqual([seq, [], []]);
    token.isAway = false;
    const { status, text } = await server.ask(question);
    expect(status, text).toBe(200);
    const [der = new Uint8Array()] = certificatesOf(text);

    const renewal = { path: 'simplereenroll', body: requestDer(), identity: identityOf(key, der) };
    token.isAway = true;
    expectTryAgain(await server.ask(renewal));
    expect((await issuedTo()).map(({ supersededAt }) => supersededAt)).toEqual([null]);
    expect(await requestsOf()).toEqual(['issued']);
    token.isAway = false;
    expect((await server.ask(renewal)).status).toBe(200);
  });

  it('ends guessing', async () => {
    const guess = (body: Uint8Array | string = requestDer()) =>
      est.ask({ path: 'simpleenroll', body, code: 'holdfast_code_guessed', isPlain: true });
    let answer = await guess();
    for (let guesses = 1; guesses <= 300 && answer.status !== 429; guesses++) answer = await guess();
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    const unread = await guess('A'.repeat(40_000));
    expect(unread.status, 'nor is a body read').toBe(429);
    service.clock.advance(120);
  });
});

describe('[F25] simplereenroll', () => {
  it('[RFC7030-4.2.2] renews the certificate of the connection, which goes on counting for the overlap', async () => {
    const { identity, credentialId } = await enrolled();
    const body = requestDer();
    const { status, text } = await est.ask({ path: 'simplereenroll', body, identity });
    expect(status, text).toBe(200);
    const again = await est.ask({ path: 'simplereenroll', body, identity });
    expect(again.text).toBe(text);
    const { items } = await listCredentials(service.db, actor(), { entityId: entity.id }, PAGE, now());
    expect(items.map(({ supersedes, supersededAt }) => [supersedes, supersededAt === null])).toEqual([
      [null, false],
      [credentialId, true],
    ]);
  });

  it('knows nobody without a certificate, nor with one of somebody else', async () => {
    const body = requestDer();
    expect(problem(await est.ask({ path: 'simplereenroll', body }))).toEqual([401, 'code_invalid']);
    const key = ecKey();
    const foreign = { cert: clientCertificate(key).certificate, key: identityOf(key, new Uint8Array()).key };
    expect(problem(await est.ask({ path: 'simplereenroll', body, identity: foreign }))).toEqual([401, 'code_invalid']);
    expect(problem(await est.ask({ path: 'simplereenroll', body, isPlain: true }))).toEqual([401, 'code_invalid']);
  });

  it('renews for its own application only', async () => {
    const { identity } = await enrolled();
    const other = await service.entity(await service.organisation(authority));
    const subject = distinguishedName({ '0.9.2342.19200300.100.1.1': other.id });
    const ask = async (body: Uint8Array) => problem(await est.ask({ path: 'simplereenroll', body, identity }));
    expect(await ask(requestDer({ subject }))).toEqual([403, 'role_missing']);
    expect(await ask(requestDer({ attributes: [wantedUris(other.entityIdentifier)] }))).toEqual([403, 'role_missing']);
  });

  it('renews nothing that does not count', async () => {
    const { identity, credentialId } = await enrolled();
    await revokeCredential({ ...service.context(), now: now() }, credentialId, {
      reasonCode: 'key_compromise',
      reason: 'a test',
    });
    const revoked = await est.ask({ path: 'simplereenroll', body: requestDer(), identity });
    expect(problem(revoked)).toEqual([403, 'not_active']);
    const { identity: second } = await enrolled();
    const decision = { reason: 'a test', reasonCode: 'other' } as const;
    await transitionEntity({ ...service.context(), now: now() }, entity.id, 'suspend', decision);
    const suspended = await est.ask({ path: 'simplereenroll', body: requestDer(), identity: second });
    expect(problem(suspended)).toEqual([403, 'not_active']);
  });
});
