/** Both ends of a TLS connection with certificates of our certification authority: `openssl s_client` at the service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePem } from '../../src/pki/pem.ts';
import { makeCertificateCode, requestWithCode } from '../../src/registry/certification/certificate-codes.ts';
import { revokeCredential } from '../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { requestDer } from '../support/certificate-requests.ts';
import { ecKey, type KeyPair, pem } from '../support/certificates.ts';
import { certificationAuthority, certificationContext, type TestRoot, testRoot } from '../support/certification.ts';
import { clientCertificate } from '../support/credentials.ts';
import { certificatesOf, EstServer, type TlsIdentity } from '../support/est-client.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const HOST = 'gateway.partner.example';

let stack: AsyncDisposableStack;
let service: TestService;
let folder: TemporaryFolder;
let root: TestRoot;
let entity: Entity;
let server: EstServer;
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('embedded'));
  // Both ends judge certificates by the clock of this machine.
  service.clock.advance(Math.floor(Date.now() / 1000) - service.clock.now());
  folder = stack.use(new TemporaryFolder());
  root = testRoot();
  folder.write('root.pem', pem(root.der));
  folder.write('foreign-root.pem', pem(testRoot('Foreign Root').der));
  const authority = await service.authority();
  await certificationAuthority(service, authority, { root });
  const organisation = await service.organisation(authority);
  entity = await service.entity(organisation, { entityIdentifier: `https://${HOST}` });
  server = stack.use(await EstServer.open(service, (await issued('server')).identity));
}, 60_000);
afterAll(() => stack?.disposeAsync());

const keyPem = (key: KeyPair) => key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A certificate of ours with those between it and the root, and its key. */
async function issued(profile: 'client' | 'server'): Promise<{ credentialId: string; identity: TlsIdentity }> {
  const key = ecKey();
  const { code } = await makeCertificateCode(service.context(), entity.id, { profile });
  const context = certificationContext(service, undefined, service.context());
  const { credential } = await requestWithCode(context, { code, request: requestDer({ key }) });
  if (credential === null) throw new Error('nothing was issued');
  const chain = credential.x5c?.slice(0, -1).map((der) => encodePem(Buffer.from(der, 'base64')));
  return { credentialId: credential.id, identity: { cert: chain?.join('') ?? '', key: keyPem(key) } };
}

interface Spoken {
  /** 0 unless the handshake failed. */
  exitCode: number | null;
  /** What openssl tells of the connection. */
  said: string;
  /** Undefined: there was no answer. */
  status: number | undefined;
  content: string;
}

/** Renews over a connection that openssl makes and judges, with whatever it has. */
async function renew(
  at: EstServer,
  { identity, trusted = 'root.pem', body = requestDer() }: { identity?: TlsIdentity; trusted?: string; body?: Buffer },
): Promise<Spoken> {
  const files = identity && {
    cert: folder.write('client.pem', identity.cert),
    key: folder.write('client.key', identity.key),
  };
  const own = files ? ['-cert', files.cert, '-cert_chain', files.cert, '-key', files.key] : [];
  const { port } = new URL(at.url);
  const child = spawn('openssl', [
    ...['s_client', '-connect', `127.0.0.1:${port}`, '-servername', HOST, '-verify_hostname', HOST],
    ...['-brief', '-ign_eof', '-CAfile', folder.at(trusted), '-purpose', 'sslserver', '-verify_return_error', ...own],
  ]);
  const asked = body.toString('base64');
  // What fails in the handshake does not read it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(
    [
      ...['POST /.well-known/est/simplereenroll HTTP/1.1', `Host: ${HOST}`, 'Connection: close'],
      ...['Content-Type: application/pkcs10', `Content-Length: ${asked.length}`, '', asked],
    ].join('\r\n'),
  );
  const [answer, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const [, status, content = ''] = /^HTTP\/1\.1 (\d+)[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(answer) ?? [];
  return { exitCode: child.exitCode, said, status: status === undefined ? undefined : Number(status), content };
}

describe('[F20] openssl s_client at the port that asks for certificates', () => {
  it('[F25] believes the server below our root, and is believed: what it shows is renewed over the connection', async () => {
    const { identity } = await issued('client');
    const spoken = await renew(server, { identity });
    expect(spoken.exitCode, spoken.said).toBe(0);
    expect(spoken.said).toContain('Verification: OK');
    expect(spoken.said).toContain(`Verified peername: ${HOST}`);
    expect(spoken.status, spoken.content).toBe(200);
    expect(certificatesOf(spoken.content)).toHaveLength(1);
  });

  it('does not go on with a server below another root', async () => {
    const { identity } = await issued('client');
    const spoken = await renew(server, { identity, trusted: 'foreign-root.pem' });
    expect(spoken.exitCode).toBe(1);
    expect(spoken.said).toMatch(/unable to get (?:local )?issuer certificate/);
    expect(spoken.status).toBeUndefined();
  });

  it('does not go on with a server that shows the certificate of a client', async () => {
    const { identity } = await issued('client');
    await using wrong = await EstServer.open(service, identity);
    const spoken = await renew(wrong, { identity });
    expect(spoken.exitCode).toBe(1);
    expect(spoken.said).toMatch(/unsuitable certificate purpose/);
    expect(spoken.status).toBeUndefined();
  });

  it('gets nothing without a certificate, with one of another certification authority, or with one that was revoked', async () => {
    const key = ecKey();
    const foreign = { cert: clientCertificate(key).certificate, key: keyPem(key) };
    for (const shown of [{}, { identity: foreign }]) {
      const spoken = await renew(server, shown);
      expect(spoken.said).toContain('Verification: OK');
      expect(spoken.status, spoken.content).toBe(401);
    }
    const { credentialId, identity } = await issued('client');
    await revokeCredential(service.context(), credentialId, { reasonCode: 'key_compromise', reason: 'by a test' });
    expect((await renew(server, { identity })).status).toBe(403);
  });
});
