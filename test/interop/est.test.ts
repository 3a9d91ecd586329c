/** EST with the client of strongSwan, as machines of partners run it. @see RFC 7030 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { makeCertificateCode } from '../../src/registry/certification/certificate-codes.ts';
import type { CertificationAuthority } from '../../src/registry/certification/certification-authority.ts';
import { listCredentials } from '../../src/registry/credentials/read-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { certificationAuthority } from '../support/certification.ts';
import { EstServer } from '../support/est-client.ts';
import { actor } from '../support/registry.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

const run = promisify(execFile);

let stack: AsyncDisposableStack;
let service: TestService;
let est: EstServer;
let authority: Authority;
let issuer: CertificationAuthority;
let entity: Entity;
let folder: TemporaryFolder;
/** Options that name whom the client trusts: the server of TLS, and those who issue. */
let trusted: string[];
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('embedded'));
  // The client judges certificates by the clock of this machine.
  service.clock.advance(Math.floor(Date.now() / 1000) - service.clock.now());
  est = stack.use(await EstServer.open(service));
  folder = stack.use(new TemporaryFolder());
  authority = await service.authority();
  issuer = await certificationAuthority(service, authority);
  entity = await service.entity(await service.organisation(authority));
  trusted = ['--cacert', folder.write('tls.pem', TEST_TLS_CERTIFICATE)];
}, 60_000);
afterAll(() => stack?.disposeAsync());

const context = () => ({ ...service.context(), now: new Date(service.clock.now() * 1000) });
const code = async () => (await makeCertificateCode(context(), entity.id, { profile: 'client' })).code;

/** What `pki` of strongSwan writes, PEM or DER; a failure has what it says. */
async function pki(...args: string[]): Promise<Buffer> {
  const { stdout } = await run('pki', args, { encoding: 'buffer' });
  return stdout;
}

/** Files with a fresh key and a request for it, signed by another key if one is given. */
async function request(name: string): Promise<{ key: string; request: string }> {
  const key = folder.write(`${name}.key`, await pki('--gen', '--type', 'ecdsa', '--size', '256', '--outform', 'pem'));
  const made = await pki('--req', '--type', 'priv', '--in', key, '--dn', `CN=${name}`, '--outform', 'der');
  return { key, request: folder.write(`${name}.req`, made) };
}

async function enrol(name: string, ...credentials: string[]): Promise<{ key: string; certificate: string }> {
  const made = await request(name);
  const args = ['--url', est.url, '--in', made.request, ...trusted, ...credentials, '--outform', 'pem'];
  return { key: made.key, certificate: folder.write(`${name}.pem`, await pki('--est', ...args)) };
}

const isValid = async (certificate: string) =>
  (await run('openssl', ['verify', '-purpose', 'sslclient', '-CAfile', folder.at('chain.pem'), certificate])).stdout;

describe('[F25] EST, with strongSwan', () => {
  it('hands out the certificates of the certification authority', async () => {
    await pki('--estca', '--url', est.url, ...trusted, '--caout', folder.at('ca'), '--outform', 'pem');
    const files = (await readdir(folder.path)).filter((file) => /^ca(-\d+)?(\.pem)?$/.test(file));
    expect(files).toHaveLength(2);
    trusted.push(...files.flatMap((file) => ['--cacert', folder.at(file)]));
    const chain = (issuer.x5c ?? []).map((der) => `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`);
    folder.write('chain.pem', chain.join(''));
  });

  it('enrols with a code, renews with the certificate, and is refused with anything else', async () => {
    const given = await code();
    const first = await enrol('first', '--userpass', `client:${given}`);
    expect(await isValid(first.certificate)).toContain(': OK');
    await expect(enrol('second', '--userpass', `client:${given}`)).rejects.toThrow();
    await expect(enrol('third', '--userpass', 'client:holdfast_code_guessed')).rejects.toThrow();
    const renewed = await enrol('renewed', '--cert', first.certificate, '--key', first.key);
    expect(await isValid(renewed.certificate)).toContain(': OK');
    const { items } = await listCredentials(service.db, actor(), { entityId: entity.id }, { limit: 9 }, context().now);
    expect(items.map(({ source, supersedes }) => [source, supersedes !== null])).toEqual([
      ['issued', false],
      ['issued', true],
    ]);
    await transitionEntity(context(), entity.id, 'suspend', { reason: 'a test', reasonCode: 'other' });
    await expect(enrol('later', '--cert', renewed.certificate, '--key', renewed.key)).rejects.toThrow();
  });
});
