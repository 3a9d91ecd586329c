/** A certificate of ours that is revoked, at every door where others ask about it: none says otherwise than the rest. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseRevocationList } from '../../../src/pki/revocation-list/parse-revocation-list.ts';
import { makeCertificateCode, requestWithCode } from '../../../src/registry/certification/certificate-codes.ts';
import type { CertificationAuthority } from '../../../src/registry/certification/certification-authority.ts';
import type { Credential } from '../../../src/registry/credentials/credential.ts';
import type { Body } from '../../support/api-client.ts';
import { requestDer } from '../../support/certificate-requests.ts';
import { pem } from '../../support/certificates.ts';
import { certificationAuthority, certificationContext } from '../../support/certification.ts';
import { type TestPoint, testPoint } from '../../support/evidence.ts';
import { ocspRequest, statusesIn } from '../../support/ocsp.ts';
import { startTestService, TestService } from '../../support/service.ts';

/** What a door says of one certificate, and of which state of the registry. */
interface Said {
  door: string;
  seq: number;
  says: unknown;
}

const GOOD = { ocsp: ['good'], list: null, keys: true, admission: ['allow', []] };
const REVOKED = { ocsp: ['revoked keyCompromise'], list: 1, keys: false, admission: ['deny', ['certificate_revoked']] };

let stack: AsyncDisposableStack;
let service: TestService;
let issuer: CertificationAuthority;
let credential: Credential;
let point: TestPoint;
let registrar: { authorization: string };
/** Of the node that revokes, and of another one. */
let [here, there] = ['', ''];
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('postgresql'));
  // Whoever stops last closes the database.
  const shared = { ...service.database, [Symbol.asyncDispose]: async () => {} };
  const other = stack.use(await TestService.start(shared, {}));
  [here, there] = [stack.use(await service.listen()).origin, stack.use(await other.listen()).origin];
  const authority = await service.authority();
  issuer = await certificationAuthority(service, authority);
  point = await testPoint(service, authority);
  registrar = await service.bearer(['registrar']);
  const { id } = await service.entity(await service.organisation(authority));
  const { code } = await makeCertificateCode(service.context(), id, { profile: 'client' });
  const outcome = await requestWithCode(certificationContext(service), { code, request: requestDer() });
  if (outcome.credential === null) throw new Error('nothing was issued');
  ({ credential } = outcome);
});
afterAll(() => stack?.disposeAsync());

const seqOf = ({ headers }: Response) => Number(headers.get('x-registry-seq'));

async function askOcsp(origin: string): Promise<Said> {
  const serials = [credential.serial ?? ''];
  const request = ocspRequest({ issuer: Buffer.from(issuer.x5c?.[0] ?? '', 'base64'), serials });
  const response = await fetch(`${origin}/ca/${issuer.id}/ocsp`, {
    ...{ method: 'POST', body: new Uint8Array(request) },
    headers: { 'content-type': 'application/ocsp-request' },
  });
  return { door: 'ocsp', seq: seqOf(response), says: statusesIn(Buffer.from(await response.arrayBuffer())) };
}

/** The reason on the list, or null. */
async function askList(origin: string): Promise<Said> {
  const response = await fetch(`${origin}/ca/${issuer.id}/crl`);
  const list = parseRevocationList(new Uint8Array(await response.arrayBuffer()));
  const entry = [...list.entries()].find(({ serial }) => serial === credential.serial);
  return { door: 'list', seq: seqOf(response), says: entry?.reason ?? null };
}

/** Whether its key is among those that count. */
async function askKeys(origin: string): Promise<Said> {
  const { organisationId, entityId, kid } = credential;
  const response = await fetch(`${origin}/keystore/${organisationId}/${entityId}/transport.jwks`);
  const { keys } = (await response.json()) as Body;
  const isThere = keys.some((key: { kid: string }) => key.kid === kid);
  return { door: 'keys', seq: seqOf(response), says: isThere };
}

async function askAdmission(origin: string): Promise<Said> {
  const certificate = pem(Buffer.from(credential.x5c?.[0] ?? '', 'base64'));
  const response = await fetch(`${origin}/api/v1/admission`, {
    ...{ method: 'POST', body: JSON.stringify({ certificate }) },
    headers: { 'holdfast-enforcement-point': point.token, 'content-type': 'application/json' },
  });
  const { decision, reasons, seq } = (await response.json()) as Body;
  return { door: 'admission', seq, says: [decision, reasons] };
}

const askAll = (origin: string) => Promise.all([askOcsp, askList, askKeys, askAdmission].map((ask) => ask(origin)));
const saidBy = (answers: readonly Said[]) => Object.fromEntries(answers.map(({ door, says }) => [door, says]));

async function revoke(): Promise<number> {
  const response = await fetch(`${here}/api/v1/credentials/${credential.id}/revoke`, {
    ...{ method: 'POST', body: JSON.stringify({ reasonCode: 'key_compromise', reason: 'by a test' }) },
    headers: { ...registrar, 'content-type': 'application/json' },
  });
  return response.status;
}

describe('[F22] a revocation over HTTP', () => {
  it('is told by OCSP, list, key store and admission at its seq: at once where it was made, within five seconds elsewhere', async () => {
    for (const origin of [here, there]) {
      await vi.waitFor(async () => expect(saidBy(await askAll(origin))).toEqual(GOOD), { timeout: 5_000 });
    }
    const before = await service.seq();
    expect(await revoke()).toBe(200);
    const seq = await service.seq();
    expect(seq).toBe(before + 1);

    const atOnce = await askAll(here);
    expect(saidBy(atOnce)).toEqual(REVOKED);
    expect(atOnce.map((said) => said.seq)).toEqual([seq, seq, seq, seq]);

    const seen: Said[] = [];
    const isKnown = async () => {
      const answers = await askAll(there);
      seen.push(...answers);
      return answers.every((said) => said.seq >= seq);
    };
    await expect.poll(isKnown, { timeout: 5_000 }).toBe(true);
    // Whoever says that it knows of the change tells of the revocation; who does not say so may tell already.
    const expected: Record<string, unknown> = REVOKED;
    const knowing = seen.filter((said) => said.seq >= seq);
    expect(knowing.filter(({ door, says }) => !isDeepStrictEqual(says, expected[door]))).toEqual([]);
  });

  it('is the same the second time, and changes nothing', async () => {
    await revoke();
    const seq = await service.seq();
    expect(await revoke()).toBe(200);
    expect(await service.seq()).toBe(seq);
    expect(saidBy(await askAll(here))).toEqual(REVOKED);
  });
});
