/** openssl, as partners run it for their keys, and as everybody can run it to ask about a certificate. */
import { execFile } from 'node:child_process';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { encodePem, encodePemBlock } from '../../../src/pki/pem.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import type { Certified } from './certificates.ts';

const run = promisify(execFile);

/** @throws StoryError with what to install */
export async function requireOpenssl(): Promise<void> {
  await run('openssl', ['version']).catch((cause: unknown) => {
    throw new StoryError('openssl is missing, which this story needs: apt-get install openssl', { cause });
  });
}

export interface KeyWithRequest {
  /** PEM. */
  key: string;
  /** PKCS#10 without any subject, base64. */
  request: string;
}

/** @param name of the files */
export async function newKeyWithRequest(stage: Stage, name: string): Promise<KeyWithRequest> {
  const file = stage.file(`${name}.key`);
  const { stdout } = await run(
    'openssl',
    [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', file, '-subj', '/', '-outform', 'DER'],
    ],
    { encoding: 'buffer' },
  );
  return { key: await readFile(file, 'utf8'), request: stdout.toString('base64') };
}

/** @param answer of EST: signed data of CMS with the certificate alone, base64 */
export async function certifiedBy(answer: string, key: string): Promise<Certified> {
  const { raw, publicKey } = new X509Certificate(await certificateIn(Buffer.from(answer, 'base64')));
  const x5c = [raw.toString('base64')];
  const jwk = createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })).export({ format: 'jwk' });
  return { certificate: encodePem(raw), key, jwk: { ...jwk, kid: randomBytes(8).toString('hex'), use: 'sig', x5c } };
}

async function certificateIn(der: Buffer): Promise<string> {
  const reading = run('openssl', ['pkcs7', '-inform', 'DER', '-print_certs']);
  reading.child.stdin?.end(der);
  const { stdout } = await reading;
  return /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? '';
}

/** Files of certificates, PEM. */
export interface AskedAbout {
  certificate: string;
  /** Of the certification authority and those above it. */
  chain: string;
  root: string;
}

/** The answer of OCSP, once openssl has verified who signed it: `good`, `revoked` with the reason, or what is wrong. */
export async function ocspStatus({ certificate, chain, root }: AskedAbout, url: string): Promise<string> {
  const args = ['ocsp', '-issuer', chain, '-CAfile', root, '-cert', certificate, '-url', url];
  const { stdout, stderr } = await run('openssl', args);
  if (!stderr.includes('Response verify OK')) return stderr.trim();
  const [, status = ''] = /: (good|revoked|unknown)$/m.exec(stdout) ?? [];
  const [, reason] = /^\s*Reason: (\w+)$/m.exec(stdout) ?? [];
  return reason === undefined ? status : `${status}, ${reason}`;
}

/** What openssl says of a certificate by the list of revocations, which is DER: `OK`, or why not. */
export async function statusByList(
  stage: Stage,
  { certificate, chain, root }: AskedAbout,
  list: Uint8Array,
): Promise<string> {
  const file = await stage.write('list.pem', encodePemBlock('X509 CRL', list));
  const args = ['verify', '-crl_check', '-CAfile', root, '-untrusted', chain, '-CRLfile', file, certificate];
  const said = await run('openssl', args).then(
    ({ stdout }) => stdout,
    (error: { stderr: string }) => error.stderr,
  );
  return /lookup: ?(.+)$/m.exec(said)?.[1] ?? (/: OK$/m.test(said) ? 'OK' : said.trim());
}
