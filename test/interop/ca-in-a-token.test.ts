/** A certification authority whose key is in a PKCS#11 token: the service as operators run it, SoftHSM2, openssl. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCertificateRequest } from '../../src/pki/request/parse-certificate-request.ts';
import { parseRevocationList } from '../../src/pki/revocation-list/parse-revocation-list.ts';
import { requestDer, requestPem } from '../support/certificate-requests.ts';
import { pem } from '../support/certificates.ts';
import { testRoot } from '../support/certification.ts';
import { certified } from '../support/certification-authorities.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { ocspRequest, statusesIn } from '../support/ocsp.ts';
import { buildPkcs11js } from '../support/pkcs11js.ts';
import { dumpOf, marksInFiles, privateKeyMarks } from '../support/private-key-marks.ts';
import { type ApiAnswer, ifMatch, type ServiceProcess } from '../support/service-process.ts';
import { authorityOf, type HostedHere, placeForToken, TokenDeployment } from '../support/token-deployment.ts';

let nodePath: string;

beforeAll(async () => {
  nodePath = await buildPkcs11js();
}, 240_000);

const ROOT = testRoot('Offline Root');

/** One that is certified by a root that the service does not have. */
async function activeAuthority(node: ServiceProcess, name: string) {
  const authorityId = await authorityOf(node);
  const pending = await node.api('POST', '/certification-authorities', { authorityId, name });
  expect([pending.status, pending.body.custody]).toEqual([201, 'pkcs11']);
  const { jwk } = parseCertificateRequest(pending.body.request);
  const now = new Date();
  const own = certified({ publicJwk: { ...jwk }, name }, ROOT, {
    notBefore: utcTime(new Date(now.getTime() - 86_400_000)),
    notAfter: utcTime(new Date(now.getTime() + 3650 * 86_400_000)),
  });
  const certificate = pem(own, ROOT.der);
  const active = await node.api('POST', `/certification-authorities/${pending.body.id}/activate`, { certificate });
  expect(active.status, active.text).toBe(200);
  return active.body;
}

function utcTime(date: Date): string {
  return `${date.toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`;
}

/** What is recorded of certificates, and of who asked for what. */
async function recorded({ db }: TestDatabase): Promise<unknown> {
  const tables = [
    ...['certification_authorities', 'certificate_requests', 'certificate_codes', 'credentials', 'ocsp_signers'],
    'audit',
  ];
  const rows = tables.map(async (name) => (await db.execute(sql.raw(`SELECT t::text FROM ${name} t ORDER BY 1`))).rows);
  return await Promise.all(rows);
}

function expectTryAgain({ status, headers, body }: ApiAnswer): void {
  expect([status, body.code, Number(headers['retry-after']) > 0]).toEqual([503, 'temporarily_unavailable', true]);
}

/** Where the keys are that sign for the authority, for what it issues, and for who answers about that. */
async function placesOfKeys({ db }: TestDatabase): Promise<{ custody: string; place: string | null }[]> {
  const tables = ['authority_keys', 'certification_authorities', 'ocsp_signers'];
  const places = tables.map((name) => `SELECT custody, token_object AS place FROM ${name}`);
  return (await db.execute<{ custody: string; place: string | null }>(sql.raw(places.join(' UNION ALL ')))).rows;
}

/** What others ask, as they do. */
function publicDoors({ baseUrl }: ServiceProcess, { id }: { id: string }) {
  return {
    /** Number and serial numbers of the list; undefined: try again. */
    async list() {
      const response = await fetch(`${baseUrl}/ca/${id}/crl`);
      if (response.status === 503) {
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        return undefined;
      }
      expect(response.status).toBe(200);
      const list = parseRevocationList(new Uint8Array(await response.arrayBuffer()));
      return { number: Number(list.number), serials: [...list.entries()].map(({ serial }) => serial) };
    },
    async status(serial: string, nonce?: Buffer): Promise<string[]> {
      const issuer = Buffer.from(await (await fetch(`${baseUrl}/ca/${id}/certificate`)).arrayBuffer());
      const request = ocspRequest({ issuer, serials: [serial], ...(nonce && { nonce }) });
      const headers = { 'content-type': 'application/ocsp-request' };
      const response = await fetch(`${baseUrl}/ca/${id}/ocsp`, {
        method: 'POST',
        headers,
        body: new Uint8Array(request),
      });
      expect(response.status).toBe(200);
      return statusesIn(Buffer.from(await response.arrayBuffer()));
    },
    async enrol(code: string, request: Buffer): Promise<Response> {
      const authorization = `Basic ${Buffer.from(`anybody:${code}`).toString('base64')}`;
      const headers = { authorization, 'content-type': 'application/pkcs10' };
      const body = request.toString('base64');
      return await fetch(`${baseUrl}/.well-known/est/simpleenroll`, { method: 'POST', headers, body });
    },
  };
}

describe('[F30] a certification authority with its key in a token', { timeout: 180_000 }, () => {
  it('signs with keys that no dump of the database has, each in a place of its own in the token', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    await using database = await createTestDatabase('postgresql');
    const node = await deployment.start(deployment.tokenSettings, { databaseUrl: database.url });
    const authority = await activeAuthority(node, 'Issuing CA');
    const { request, approve } = await askers(node, await deployment.host(node));
    const issued = await approve(await request());
    expect(issued.status, issued.text + node.log).toBe(200);
    await expectBelow(deployment.folder, issued);
    const { list, status } = publicDoors(node, authority);
    expect(await list()).toMatchObject({ serials: [] });
    expect(await status(serialOf(issued))).toEqual(['good']);

    const keys = await placesOfKeys(database);
    expect(keys.map(({ custody }) => custody)).toEqual(['pkcs11', 'pkcs11', 'pkcs11']);
    expect(new Set(keys.map(({ place }) => place ?? '')).size).toBe(3);
    const marks = privateKeyMarks(deployment.folder);
    const dump = await dumpOf(database);
    expect(dump).toContain(authority.id);
    expect(marks.filter((mark) => dump.includes(mark))).toEqual([]);
  });

  it('unplugged, issues nothing, half or whole, by approval or EST, says tryLater and 503, and goes on afterwards', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    await using database = await createTestDatabase('postgresql');
    const node = await deployment.start(deployment.tokenSettings, { databaseUrl: database.url });
    const authority = await activeAuthority(node, 'Issuing CA');
    const entity = await deployment.host(node);
    const { request, approve, code } = await askers(node, entity);
    const issued = await approve(await request());
    expect(issued.status, issued.text + node.log).toBe(200);
    const { list, status, enrol } = publicDoors(node, authority);
    const before = await list();
    expect(before).toMatchObject({ serials: [] });
    expect(await status(serialOf(issued))).toEqual(['good']);

    const [waiting, given, own] = [await request(), await code(), requestDer()];
    await deployment.unplug();
    const recordedBefore = await recorded(database);
    expectTryAgain(await approve(waiting));
    expectTryAgain(
      await node.api('POST', '/certification-authorities', { authorityId: await authorityOf(node), name: 'Two' }),
    );
    const refused = await enrol(given, own);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
    expect(await recorded(database)).toEqual(recordedBefore);
    const chain = await node.get(`${node.baseUrl}/ca/${authority.id}/chain.pem`);
    expect([chain.status, chain.text.match(/BEGIN CERTIFICATE/g)?.length]).toEqual([200, 2]);

    // What was signed is served for as long as it is true.
    expect(await list()).toEqual(before);
    expect(await status(serialOf(issued), randomBytes(16))).toEqual(['trylater']);
    const revocation = { reasonCode: 'key_compromise', reason: 'by a test' };
    const revoked = await node.api('POST', `/credentials/${issued.body.credential.id}/revoke`, revocation);
    expect(revoked.status, revoked.text).toBe(200);
    expect(await list()).toBeUndefined();
    expect(await status(serialOf(issued))).toEqual(['trylater']);

    await deployment.plugIn();
    await expect.poll(async () => (await approve(waiting)).status, { timeout: 15_000 }).toBe(200);
    expect((await enrol(given, own)).status).toBe(200);
    const next = await list();
    expect(next?.serials).toEqual([serialOf(issued)]);
    expect(next?.number).toBeGreaterThan(before?.number ?? Number.POSITIVE_INFINITY);
    expect(await status(serialOf(issued))).toEqual(['revoked keyCompromise']);
    const later = await node.api('GET', `/entities/${entity.id}/credentials`);
    expect(later.body.items).toHaveLength(3);
  });

  it('issues with a key that no file of the service has', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    const node = await deployment.start(deployment.tokenSettings);
    const { list, status } = publicDoors(node, await activeAuthority(node, 'Issuing CA'));
    const { request, approve } = await askers(node, await deployment.host(node));
    const issued = await approve(await request());
    expect(await list()).toMatchObject({ serials: [] });
    expect(await status(serialOf(issued))).toEqual(['good']);
    const marks = [...privateKeyMarks(deployment.folder), deployment.token.pin];
    expect(marksInFiles(deployment.dataDir, marks)).toEqual([]);
  });

  it('keeps the service from starting without that token, although the keys of its authorities are sealed', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    const { HOLDFAST_HOSTED_BASE_URL: _, ...settings } = deployment.tokenSettings;
    await (await deployment.start({}))[Symbol.asyncDispose]();
    const node = await deployment.start(settings);
    const { name } = await activeAuthority(node, 'Issuing CA');
    await node[Symbol.asyncDispose]();
    const refusal = deployment.start({});
    await expect(refusal).rejects.toThrow(`of the certification authority ${name} is in a PKCS#11 token; set`);
  });
});

/** Somebody who asks for certificates of an entity, and a colleague who approves. */
async function askers(node: ServiceProcess, { id }: HostedHere) {
  const token = await node.api('POST', '/tokens', { name: 'colleague', roles: ['approver'] });
  const colleague = { authorization: `Bearer ${token.body.secret}` };
  return {
    /** For a certificate by EST, approved beforehand. */
    async code(): Promise<string> {
      const made = await node.api('POST', `/entities/${id}/certificate-codes`, { profile: 'client' }, colleague);
      expect([made.status, made.body.isApproval], made.text).toEqual([201, true]);
      return made.body.code;
    },
    async request(): Promise<ApiAnswer> {
      const asked = await node.api('POST', `/entities/${id}/certificate-requests`, {
        ...{ profile: 'client', request: requestPem() },
      });
      expect(asked.status, asked.text).toBe(202);
      return asked;
    },
    async approve(asked: ApiAnswer): Promise<ApiAnswer> {
      const headers = { ...colleague, ...ifMatch(asked) };
      return await node.api(
        'POST',
        `/certificate-requests/${asked.body.id}/approve`,
        { reason: 'looks good' },
        headers,
      );
    },
  };
}

/** In hexadecimal, without leading zeros. */
function serialOf({ body }: ApiAnswer): string {
  const { serialNumber } = new X509Certificate(Buffer.from(body.credential.x5c[0], 'base64'));
  return serialNumber.toLowerCase().replace(/^0+/, '');
}

/** openssl finds the way from what was issued to the root, as a TLS server would. */
async function expectBelow(folder: string, { body }: ApiAnswer): Promise<void> {
  const [leaf = '', ...above] = body.credential.x5c.map((der: string) => pem(Buffer.from(der, 'base64')));
  const files = { leaf, chain: above.join(''), root: pem(ROOT.der) };
  const at = (name: string) => path.join(folder, `${name}.pem`);
  for (const [file, content] of Object.entries(files)) await writeFile(at(file), content);
  const args = ['verify', '-purpose', 'sslclient', '-CAfile', at('root'), '-untrusted', at('chain'), at('leaf')];
  expect(execFileSync('openssl', args).toString()).toBe(`${at('leaf')}: OK\n`);
  expect(createPublicKey(leaf).asymmetricKeyType).toBe('ec');
}
