/** The lists of revocations of a service that is killed: numbers go up, and nothing that was revoked is missing. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRevocationList } from '../../src/pki/revocation-list/parse-revocation-list.ts';
import { requestPem } from '../support/certificate-requests.ts';
import { ecKey } from '../support/certificates.ts';
import { chainOfRequest } from '../support/certification.ts';
import { freePort } from '../support/cli.ts';
import { copyMigratedDataDirectory, createTestDatabase, DATABASE_KINDS } from '../support/databases.ts';
import { serveFederation } from '../support/federation-server.ts';
import { enrolThrough, organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';

const ROUNDS = 2;
const CERTIFICATES_A_ROUND = 6;

interface IssuedThrough {
  credentialId: string;
  /** In hexadecimal, without leading zeros. */
  serial: string;
}

/** Makes a certification authority below a root of the test. */
async function certificationAuthorityThrough(node: ServiceProcess, authorityId: string): Promise<string> {
  const name = 'Issuing CA';
  const made = await node.api('POST', '/certification-authorities', { authorityId, name });
  expect(made.status, made.text).toBe(201);
  const { id, request } = made.body;
  const certificate = chainOfRequest(request, { name });
  const active = await node.api('POST', `/certification-authorities/${id}/activate`, { certificate });
  expect(active.status, active.text).toBe(200);
  return id;
}

/** @param approver the header of somebody else than who asks */
async function issueThrough(
  node: ServiceProcess,
  entityId: string,
  approver: Record<string, string>,
): Promise<IssuedThrough> {
  const body = { request: requestPem({ key: ecKey() }), profile: 'client' };
  const asked = await node.api('POST', `/entities/${entityId}/certificate-requests`, body);
  expect(asked.status, asked.text).toBe(202);
  const path = `/certificate-requests/${asked.body.id}/approve`;
  const approved = await node.api('POST', path, { reason: 'looks good' }, approver);
  expect(approved.status, approved.text).toBe(200);
  const { id, x5c } = approved.body.credential;
  const { serialNumber } = new X509Certificate(Buffer.from(x5c[0], 'base64'));
  return { credentialId: id, serial: serialNumber.toLowerCase().replace(/^0+/, '') };
}

describe.each(DATABASE_KINDS)('[F23] a service on the %s database', (kind) => {
  it('killed while certificates are revoked goes on with higher numbers, and has all that it acknowledged', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-lists-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const database = kind === 'postgresql' ? stack.use(await createTestDatabase(kind)) : undefined;
    if (kind === 'embedded') await copyMigratedDataDirectory(folder);
    const port = await freePort();
    const baseUrl = `http://localhost:${port}`;
    const start = () => ServiceProcess.start({ port, baseUrl, dataDir: folder, databaseUrl: database?.url });
    const server = stack.use(await serveFederation({ rp: { superiors: [baseUrl] } }, { clock: systemClock }));
    let node = await start();
    stack.defer(() => node.kill());
    const { body } = await node.api('GET', '/authorities');
    const authorityId = body.items[0].id;
    const certificationAuthorityId = await certificationAuthorityThrough(node, authorityId);
    const organisationId = await organisationThrough(node, authorityId);
    const entity = await enrolThrough(node, organisationId, server.federation.id('rp'));
    const token = await node.api('POST', '/tokens', { name: 'approver', roles: ['approver'] });
    expect(token.status, token.text).toBe(201);
    const approver = { authorization: `Bearer ${token.body.secret}` };

    const seen = new Map<number, string>();
    const read = async () => {
      const response = await fetch(`${baseUrl}/ca/${certificationAuthorityId}/crl`);
      expect(response.status).toBe(200);
      const list = parseRevocationList(new Uint8Array(await response.arrayBuffer()));
      const number = Number(list.number);
      const bytes = Buffer.from(list.toBeSigned).toString('hex');
      // One number, one list, whatever happened in between.
      expect(seen.get(number) ?? bytes).toBe(bytes);
      seen.set(number, bytes);
      return { number, nextUpdate: list.nextUpdate, serials: [...list.entries()].map(({ serial }) => serial) };
    };
    const acknowledged: string[] = [];
    let highest = (await read()).number;
    for (let round = 0; round < ROUNDS; round++) {
      const issued: IssuedThrough[] = [];
      for (let index = 0; index < CERTIFICATES_A_ROUND; index++)
        issued.push(await issueThrough(node, entity.id, approver));
      const killAfter = acknowledged.length + 1 + Math.floor(Math.random() * (CERTIFICATES_A_ROUND - 2));
      // Reading and revoking go on until the service is gone.
      const revoking = (async () => {
        for (const { credentialId, serial } of issued) {
          const revocation = { reasonCode: 'key_compromise', reason: 'by a test' };
          const { status } = await node.api('POST', `/credentials/${credentialId}/revoke`, revocation);
          if (status === 200) acknowledged.push(serial);
        }
      })().catch(() => undefined);
      const reading = (async () => {
        for (;;) highest = Math.max(highest, (await read()).number);
      })().catch((error: unknown) => error);
      await expect.poll(() => acknowledged.length, { timeout: 20_000, interval: 1 }).toBeGreaterThanOrEqual(killAfter);
      await node.kill();
      await revoking;
      // What ends the reading is that nobody answers, and nothing else.
      expect(await reading).toMatchObject({ message: 'fetch failed' });

      node = await start();
      const after = await read();
      expect(after.serials).toEqual(expect.arrayContaining(acknowledged));
      expect(after.number).toBeGreaterThanOrEqual(highest);
      expect(after.nextUpdate).toBeGreaterThan(Date.now() / 1000);
      highest = after.number;
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS);
    expect(seen.size).toBeGreaterThan(ROUNDS);
  }, 120_000);
});
