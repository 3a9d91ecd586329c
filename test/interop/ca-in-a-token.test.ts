/** A certification authority whose key is in a PKCS#11 token: the service as operators run it, SoftHSM2, openssl. */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCertificateRequest } from '../../src/pki/request/parse-certificate-request.ts';
import { requestPem } from '../support/certificate-requests.ts';
import { pem } from '../support/certificates.ts';
import { testRoot } from '../support/certification.ts';
import { certified } from '../support/certification-authorities.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
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
  const tables = ['certification_authorities', 'certificate_requests', 'credentials', 'ocsp_signers', 'audit'];
  const rows = tables.map(async (name) => (await db.execute(sql.raw(`SELECT t::text FROM ${name} t ORDER BY 1`))).rows);
  return await Promise.all(rows);
}

function expectTryAgain({ status, headers, body }: ApiAnswer): void {
  expect([status, body.code, Number(headers['retry-after']) > 0]).toEqual([503, 'temporarily_unavailable', true]);
}

describe('[F30] a certification authority with its key in a token', { timeout: 180_000 }, () => {
  it('issues with a key that no dump of the database has; unplugged, it issues nothing, half or whole, and goes on afterwards', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    await using database = await createTestDatabase('postgresql');
    const node = await deployment.start(deployment.tokenSettings, { databaseUrl: database.url });
    const { id } = await activeAuthority(node, 'Issuing CA');
    const entity = await deployment.host(node);
    const { request, approve } = await askers(node, entity);
    const issued = await approve(await request());
    expect(issued.status, issued.text + node.log).toBe(200);
    await expectBelow(deployment.folder, issued);

    const marks = privateKeyMarks(deployment.folder);
    const dump = await dumpOf(database);
    expect(dump).toContain(id);
    expect(marks.filter((mark) => dump.includes(mark))).toEqual([]);

    const waiting = await request();
    await deployment.unplug();
    const before = await recorded(database);
    expectTryAgain(await approve(waiting));
    expectTryAgain(
      await node.api('POST', '/certification-authorities', { authorityId: await authorityOf(node), name: 'Two' }),
    );
    expect(await recorded(database)).toEqual(before);
    const chain = await node.get(`${node.baseUrl}/ca/${id}/chain.pem`);
    expect([chain.status, chain.text.match(/BEGIN CERTIFICATE/g)?.length]).toEqual([200, 2]);

    await deployment.plugIn();
    await expect.poll(async () => (await approve(waiting)).status, { timeout: 15_000 }).toBe(200);
    const later = await node.api('GET', `/entities/${entity.id}/credentials`);
    expect(later.body.items).toHaveLength(2);
  });

  it('issues with a key that no file of the service has', async () => {
    await using deployment = new TokenDeployment(await placeForToken(nodePath));
    const node = await deployment.start(deployment.tokenSettings);
    await activeAuthority(node, 'Issuing CA');
    const { request, approve } = await askers(node, await deployment.host(node));
    expect((await approve(await request())).status).toBe(200);
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
