/** Lists of revocations with those who rely on them: openssl, and nginx with `ssl_crl` as operators run it. */
import { execFileSync, spawn } from 'node:child_process';
import { sign } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePem } from '../../src/pki/pem.ts';
import { keyIdentifierOf } from '../../src/pki/profile/key-identifier.ts';
import { writeTbsRevocationList } from '../../src/pki/revocation-list/write-revocation-list.ts';
import { signedDer } from '../../src/pki/signed/signed-der.ts';
import { makeCertificateCode, requestWithCode } from '../../src/registry/certification/certificate-codes.ts';
import type { CertificationAuthority } from '../../src/registry/certification/certification-authority.ts';
import { holdCredential } from '../../src/registry/credentials/hold-credential.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { requestDer } from '../support/certificate-requests.ts';
import { ecKey } from '../support/certificates.ts';
import { certificationAuthority, certificationContext, type TestRoot, testRoot } from '../support/certification.ts';
import { freePort } from '../support/cli.ts';
import { missingGateways } from '../support/gateways.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../support/tls.ts';

interface Client {
  credentialId: string;
  serial: string;
  certificate: string;
  key: string;
}

let service: TestService;
let root: TestRoot;
let issuer: CertificationAuthority;
let entity: Entity;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = new TemporaryFolder();
  service = await startTestService('embedded');
  // Others judge lists by the clock of this machine.
  service.clock.advance(Math.floor(Date.now() / 1000) - service.clock.now());
  root = testRoot();
  const authority = await service.authority();
  issuer = await certificationAuthority(service, authority, { root });
  entity = await service.entity(await service.organisation(authority));
  folder.write('issuer.pem', encodePem(Buffer.from(issuer.x5c?.[0] ?? '', 'base64')));
  folder.write('root.pem', encodePem(root.der));
  folder.write('chain.pem', encodePem(Buffer.from(issuer.x5c?.[0] ?? '', 'base64')) + encodePem(root.der));
}, 60_000);
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  folder?.[Symbol.dispose]();
});

async function client(name: string): Promise<Client> {
  const key = ecKey();
  const { code } = await makeCertificateCode(service.context(), entity.id, { profile: 'client' });
  const { credential } = await requestWithCode(certificationContext(service, undefined, service.context()), {
    code,
    request: requestDer({ key }),
  });
  if (credential?.serial == null) throw new Error('nothing was issued');
  const pem = encodePem(Buffer.from(credential.x5c?.[0] ?? '', 'base64'));
  return {
    ...{ credentialId: credential.id, serial: credential.serial },
    certificate: folder.write(`${name}.pem`, pem),
    key: folder.write(`${name}.key`, key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()),
  };
}

const revoke = ({ credentialId }: Client) =>
  revokeCredential(service.context(), credentialId, { reasonCode: 'key_compromise', reason: 'by a test' });

function openssl(...args: string[]): { status: number; said: string } {
  try {
    return { status: 0, said: execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { status, said: stdout + stderr };
  }
}

/** Fetches the list as others do, into files. */
async function download(): Promise<{ der: string; pem: string }> {
  const response = await service.fetch(`http://localhost:8080/ca/${issuer.id}/crl`);
  expect(response.status).toBe(200);
  const der = folder.write('issuer.crl', Buffer.from(await response.arrayBuffer()));
  const pem = folder.at('issuer.crl.pem');
  execFileSync('openssl', ['crl', '-inform', 'DER', '-in', der, '-out', pem]);
  return { der, pem };
}

/** Of the root, which revoked nobody: whoever checks all of a chain wants it. */
function rootList(): string {
  const now = service.clock.now();
  const toBeSigned = writeTbsRevocationList({
    ...{ alg: 'ES256', issuer: root.name, number: 1, thisUpdate: now - 60, nextUpdate: now + 86_400 },
    authorityKeyIdentifier: keyIdentifierOf(root.key.publicKey.export({ format: 'der', type: 'spki' })),
    entries: new Uint8Array(),
  });
  const signature = sign('sha256', toBeSigned, { key: root.key.privateKey, dsaEncoding: 'ieee-p1363' });
  const der = folder.write('root.crl', signedDer({ kind: 'revocation-list', alg: 'ES256', toBeSigned }, signature));
  const pem = folder.at('root.crl.pem');
  execFileSync('openssl', ['crl', '-inform', 'DER', '-in', der, '-out', pem]);
  return pem;
}

describe('[F23] the list of revocations, with openssl', () => {
  it('verifies with the certificate of its issuer, and shows its number, its times and its entries', async () => {
    const gone = await client('shown');
    await revoke(gone);
    const { der } = await download();
    const { status, said } = openssl(
      ...['crl', '-inform', 'DER', '-in', der, '-CAfile', folder.at('issuer.pem'), '-noout', '-text'],
    );
    expect([status, said]).toEqual([
      0,
      expect.stringContaining(`Serial Number: ${gone.serial.toUpperCase().padStart(32, '0')}`),
    ]);
    for (const part of ['X509v3 CRL Number', 'Key Compromise', 'X509v3 Authority Key Identifier', 'Next Update']) {
      expect(said).toContain(part);
    }
    // Another issuer's certificate verifies nothing.
    expect(openssl('crl', '-inform', 'DER', '-in', der, '-CAfile', folder.at('root.pem'), '-noout').said).not.toMatch(
      /verify OK/,
    );
  });

  it('makes `openssl verify -crl_check` refuse who is revoked or on hold, and nobody else', async () => {
    const [stays, gone, waits] = [await client('stays'), await client('gone'), await client('waits')];
    const verdict = async ({ certificate }: Client) => {
      const { pem } = await download();
      const files = ['-CAfile', folder.at('chain.pem'), '-CRLfile', pem];
      return openssl('verify', '-crl_check', ...files, certificate);
    };
    for (const one of [stays, gone, waits]) expect(await verdict(one)).toMatchObject({ status: 0 });
    await revoke(gone);
    await holdCredential(service.context(), waits.credentialId, 'hold', 'by a test');
    for (const one of [gone, waits]) {
      expect(await verdict(one)).toEqual({ status: 2, said: expect.stringContaining('certificate revoked') });
    }
    expect(await verdict(stays)).toMatchObject({ status: 0 });
    await holdCredential(service.context(), waits.credentialId, 'release', 'by a test');
    expect(await verdict(waits)).toMatchObject({ status: 0 });
  });
});

const isNginxMissing = process.env.CI !== 'true' && missingGateways().includes('nginx');

describe(`[F23] the list of revocations, with ${isNginxMissing ? 'nginx (is not installed here)' : 'nginx'}`, () => {
  it.skipIf(isNginxMissing)('keeps out who is revoked once it is loaded, and lets others in all the time', async () => {
    const [stays, gone] = [await client('served'), await client('refused')];
    const port = await freePort();
    const lists = async () => {
      const { pem } = await download();
      folder.write('lists.pem', execFileSync('cat', [pem, rootList()]));
    };
    await lists();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${folder.at(kind)};`,
    );
    const configuration = folder.write(
      'nginx.conf',
      `daemon off; pid ${folder.at('nginx.pid')}; error_log stderr warn; worker_processes 1;
       events { worker_connections 64; }
       http { access_log off; ${temporary.join(' ')}
         server { listen 127.0.0.1:${port} ssl; ssl_session_tickets off;
           ssl_certificate ${folder.write('server.pem', TEST_TLS_CERTIFICATE)};
           ssl_certificate_key ${folder.write('server.key', TEST_TLS_KEY)};
           ssl_client_certificate ${folder.at('chain.pem')}; ssl_verify_client on; ssl_verify_depth 2;
           ssl_crl ${folder.at('lists.pem')};
           location / { return 200 "served"; } } }`,
    );
    const nginx = spawn('nginx', ['-p', folder.path, '-e', 'stderr', '-c', configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
    });
    const said = text(nginx.stderr);
    const ask = ({ certificate, key }: Client) =>
      statusOf(port, execFileSync('cat', [certificate]), execFileSync('cat', [key]));
    try {
      await expect.poll(() => ask(stays).catch(String), { timeout: 10_000 }).toBe(200);
      expect(await ask(gone)).toBe(200);
      await revoke(gone);
      await lists();
      // A list that nobody loaded changes nothing: nginx reads it when it starts, and when it is told to.
      expect(await ask(gone)).toBe(200);
      nginx.kill('SIGHUP');
      await expect.poll(() => ask(gone), { timeout: 10_000 }).toBe(400);
      expect(await ask(stays)).toBe(200);
    } finally {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
      expect(await said).not.toContain('[emerg]');
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
