/** The OCSP responder with those who ask it: openssl, and nginx with `ssl_ocsp` as operators run it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePem } from '../../src/pki/pem.ts';
import { makeCertificateCode, requestWithCode } from '../../src/registry/certification/certificate-codes.ts';
import type { CertificationAuthority } from '../../src/registry/certification/certification-authority.ts';
import { holdCredential } from '../../src/registry/credentials/hold-credential.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { requestDer } from '../support/certificate-requests.ts';
import { ecKey } from '../support/certificates.ts';
import { certificationAuthority, certificationContext, testRoot } from '../support/certification.ts';
import { freePort } from '../support/cli.ts';
import { missingGateways } from '../support/gateways.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../support/tls.ts';

interface Client {
  credentialId: string;
  certificate: string;
  key: string;
}

let service: TestService;
let issuer: CertificationAuthority;
let entity: Entity;
/** Where the service listens: certificates name it. */
let server: Awaited<ReturnType<TestService['listen']>>;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = new TemporaryFolder();
  service = await startTestService('embedded');
  // Others judge answers by the clock of this machine.
  service.clock.advance(Math.floor(Date.now() / 1000) - service.clock.now());
  server = await service.listen();
  const root = testRoot();
  const authority = await service.authority();
  issuer = await certificationAuthority(service, authority, { root, publicUrl: server.origin });
  entity = await service.entity(await service.organisation(authority));
  const own = encodePem(Buffer.from(issuer.x5c?.[0] ?? '', 'base64'));
  folder.write('issuer.pem', own);
  folder.write('root.pem', encodePem(root.der));
  folder.write('chain.pem', own + encodePem(root.der));
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
  folder?.[Symbol.dispose]();
});

async function client(name: string): Promise<Client> {
  const key = ecKey();
  const { code } = await makeCertificateCode(service.context(), entity.id, { profile: 'client' });
  const context = certificationContext(service, undefined, service.context());
  const { credential } = await requestWithCode(context, { code, request: requestDer({ key }) });
  if (credential === null) throw new Error('nothing was issued');
  return {
    credentialId: credential.id,
    certificate: folder.write(`${name}.pem`, encodePem(Buffer.from(credential.x5c?.[0] ?? '', 'base64'))),
    key: folder.write(`${name}.key`, key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()),
  };
}

const revoke = ({ credentialId }: Client) =>
  revokeCredential(service.context(), credentialId, { reasonCode: 'key_compromise', reason: 'by a test' });

/** The responder that the certificate itself names. */
function responderOf({ certificate }: Client): string {
  const { stdout } = spawnSync('openssl', ['x509', '-in', certificate, '-noout', '-ocsp_uri'], { encoding: 'utf8' });
  return stdout.trim();
}

/** Asynchronous, as the service answers in this process. */
async function openssl(one: Client, ...options: string[]): Promise<string> {
  const files = ['-issuer', folder.at('issuer.pem'), '-cert', one.certificate, '-CAfile', folder.at('root.pem')];
  const args = ['ocsp', ...options, '-url', responderOf(one), ...files, '-verify_other', folder.at('issuer.pem')];
  const asked = spawn('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = await Promise.all([text(asked.stdout), text(asked.stderr)]);
  return said.join('\n');
}

describe('[F24] the OCSP responder, with openssl', () => {
  it.each([
    ['with a nonce', []],
    ['without a nonce', ['-no_nonce']],
    ['with SHA-256', ['-sha256']],
  ] as const)('is believed below the root, %s', async (_, options) => {
    const one = await client('asked');
    const name = `${one.certificate}: `;
    expect(responderOf(one)).toBe(`${server.origin}/ca/${issuer.id}/ocsp`);
    const good = await openssl(one, ...options);
    expect(good).toContain('Response verify OK');
    expect(good).toContain(`${name}good`);
    // A nonce that is not repeated is warned of.
    expect(good).not.toContain('WARNING');
    await holdCredential(service.context(), one.credentialId, 'hold', 'by a test');
    expect(await openssl(one, ...options)).toMatch(/: revoked[\s\S]*Reason: certificateHold/);
    await holdCredential(service.context(), one.credentialId, 'release', 'by a test');
    expect(await openssl(one, ...options)).toContain(`${name}good`);
    await revoke(one);
    expect(await openssl(one, ...options)).toMatch(/: revoked[\s\S]*Reason: keyCompromise/);
  });
});

const isNginxMissing = process.env.CI !== 'true' && missingGateways().includes('nginx');

describe(`[F24] the OCSP responder, with ${isNginxMissing ? 'nginx (is not installed here)' : 'nginx'}`, () => {
  it.skipIf(isNginxMissing)('lets in who is good, and keeps out who is revoked, with nothing loaded anew', async () => {
    const [stays, gone, waits] = [await client('served'), await client('refused'), await client('held')];
    await revoke(gone);
    await holdCredential(service.context(), waits.credentialId, 'hold', 'by a test');
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder.at(kind)};`,
    );
    const configuration = folder.write(
      'nginx.conf',
      `daemon off; pid ${folder.at('nginx.pid')}; error_log stderr info; worker_processes 1;
       events { worker_connections 64; }
       http { access_log off; ${temporary.join(' ')}
         server { listen 127.0.0.1:${port} ssl; ssl_session_tickets off;
           ssl_certificate ${folder.write('server.pem', TEST_TLS_CERTIFICATE)};
           ssl_certificate_key ${folder.write('server.key', TEST_TLS_KEY)};
           ssl_client_certificate ${folder.at('chain.pem')}; ssl_verify_client on; ssl_verify_depth 2;
           ssl_ocsp leaf;
           location / { return 200 "served"; } } }`,
    );
    const nginx = spawn('nginx', ['-p', folder.path, '-e', 'stderr', '-c', configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    const said = text(nginx.stderr);
    const ask = ({ certificate, key }: Client) => statusOf(port, readFileSync(certificate), readFileSync(key));
    try {
      await expect.poll(() => ask(stays).catch(String), { timeout: 10_000 }).toBe(200);
      expect(await ask(gone)).toBe(400);
      expect(await ask(waits)).toBe(400);
      await holdCredential(service.context(), waits.credentialId, 'release', 'by a test');
      expect(await ask(waits)).toBe(200);
      // It is not asked once and for all.
      await revoke(waits);
      expect(await ask(waits)).toBe(400);
    } finally {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
      expect(await said).not.toMatch(/\[emerg\]|OCSP_check_validity|OCSP_basic_verify/);
    }
  });
});

/** Over a connection of its own. */
async function statusOf(port: number, cert: Buffer, key: Buffer): Promise<number> {
  const agent = new Agent({ ca: TEST_TLS_CERTIFICATE, cert, key, maxCachedSessions: 0, keepAlive: false });
  const asked = get({ host: 'localhost', family: 4, port, agent });
  const [response] = await once(asked, 'response');
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}
