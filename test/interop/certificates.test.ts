/** Certificates and requests of ours with openssl: what it verifies, for what, and what it shows of each profile. */
import { execFile } from 'node:child_process';
import { sign } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { CertificateProfileName } from '../../src/pki/profile/certificate-profile.ts';
import type { CertificatePlan } from '../../src/pki/profile/write-certificate.ts';
import { lintCertificateRequest } from '../../src/pki/request/lint-certificate-request.ts';
import { writeCertificationRequestInfo } from '../../src/pki/request/write-certificate-request.ts';
import type { X509Algorithm } from '../../src/pki/signed/linted-der.ts';
import { signedDer } from '../../src/pki/signed/signed-der.ts';
import { armoured, ecKey, pem } from '../support/certificates.ts';
import {
  BEGIN,
  DAY,
  issued,
  keyFor,
  type OwnAuthority,
  ownAuthority,
  ownRoot,
  planFor,
  spkiOf,
} from '../support/own-certificates.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

async function openssl(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run('openssl', args);
  return stdout + stderr;
}

const ROOT = ownRoot('ES384');
const ISSUERS = new Map<X509Algorithm, OwnAuthority>(
  (['ES256', 'ES384', 'RS256'] as const).map((alg) => [alg, ownAuthority(ROOT, keyFor(alg), alg)]),
);

function issuerWith(alg: X509Algorithm): OwnAuthority {
  const issuer = ISSUERS.get(alg);
  if (issuer === undefined) throw new Error(`nobody issues with ${alg}`);
  return issuer;
}

function leafOf(profile: CertificateProfileName, alg: X509Algorithm = 'ES256', changes: Partial<CertificatePlan> = {}) {
  const issuer = issuerWith(alg);
  return issued(planFor(profile, issuer, spkiOf(ecKey()), changes), issuer, issuer.key);
}

/** What `openssl verify` says of a leaf for a purpose, a day after it begins. */
async function verdict(leaf: Uint8Array, purpose: string, alg: X509Algorithm = 'ES256', ...more: string[]) {
  const [root, chain] = [folder.write('root.pem', pem(ROOT.der)), folder.write('chain.pem', pem(issuerWith(alg).der))];
  const options = ['-x509_strict', '-purpose', purpose, '-attime', String(BEGIN + DAY), ...more];
  const args = ['verify', ...options, '-CAfile', root, '-untrusted', chain, folder.write('leaf.pem', pem(leaf))];
  return await openssl(...args).catch((error: { stderr: string }) => error.stderr);
}

describe('[F20] openssl verify -x509_strict', () => {
  it.each(['ES256', 'ES384', 'RS256'] as const)('believes leaf, authority and root with %s', async (alg) => {
    expect(await verdict(leafOf('client', alg), 'sslclient', alg)).toMatch(/: OK$/m);
    const server = leafOf('server', alg);
    expect(await verdict(server, 'sslserver', alg, '-verify_hostname', 'app.partner.example')).toMatch(/: OK$/m);
    expect(await verdict(leafOf('ocsp-responder', alg), 'ocsphelper', alg)).toMatch(/: OK$/m);
  });

  it('believes each for its own purpose only', async () => {
    expect(await verdict(leafOf('client'), 'sslserver')).toMatch(/unsuitable certificate purpose/);
    expect(await verdict(leafOf('server'), 'sslclient')).toMatch(/unsuitable certificate purpose/);
    for (const purpose of ['sslclient', 'sslserver', 'smimesign']) {
      expect(await verdict(leafOf('signing'), purpose)).toMatch(/unsuitable certificate purpose/);
      expect(await verdict(leafOf('ocsp-responder'), purpose)).toMatch(/unsuitable certificate purpose/);
    }
    expect(await verdict(leafOf('server'), 'sslserver', 'ES256', '-verify_hostname', 'other.example')).toMatch(
      /hostname mismatch/i,
    );
  });

  it('believes an authority and its root by themselves', async () => {
    expect(await verdict(ROOT.der, 'any')).toMatch(/: OK$/m);
    expect(await verdict(issuerWith('RS256').der, 'crlsign', 'RS256')).toMatch(/: OK$/m);
  });

  it('believes none after its end', async () => {
    const short = leafOf('client', 'ES256', { notAfter: BEGIN + DAY - 1 });
    expect(await verdict(short, 'sslclient')).toMatch(/certificate has expired/);
    // To openssl the last second, which counts in RFC 5280 §4.1.2.5, is over already.
    expect(await verdict(leafOf('client', 'ES256', { notAfter: BEGIN + DAY + 1 }), 'sslclient')).toMatch(/: OK$/m);
  });
});

/** The extensions as `openssl x509 -ext` has them, by name. */
async function shownExtensions(certificate: Uint8Array): Promise<Record<string, string>> {
  const file = folder.write('shown.pem', pem(certificate));
  const text = await openssl('x509', '-in', file, '-noout', '-text');
  const shown = /X509v3 extensions:\n([\s\S]*?)\n {4}Signature Algorithm/.exec(text)?.[1] ?? '';
  const entries = shown.split(/\n(?= {12}\S)/).map((part) => {
    const [name = '', ...lines] = part.split('\n').map((line) => line.trim());
    return [name.replace(/:\s*/, ' ').trim(), lines.filter((line) => line !== '').join('; ')];
  });
  return Object.fromEntries(entries);
}

const IDENTIFIER = expect.stringMatching(/^(keyid:)?[0-9A-F]{2}(:[0-9A-F]{2}){19}$/);
const IDENTIFIERS = { 'X509v3 Authority Key Identifier': IDENTIFIER, 'X509v3 Subject Key Identifier': IDENTIFIER };
const URLS_SHOWN = {
  'X509v3 CRL Distribution Points': 'Full Name:; URI:https://fed.example/ca/1/crl',
  'Authority Information Access':
    'OCSP - URI:https://fed.example/ca/1/ocsp; CA Issuers - URI:https://fed.example/ca/1/certificate',
};
const AUTHORITY_USAGE = { ...IDENTIFIERS, 'X509v3 Key Usage critical': 'Certificate Sign, CRL Sign' };

describe('[F20] openssl x509 -text shows the profile and nothing else', () => {
  it.each<[CertificateProfileName, () => Uint8Array, Record<string, unknown>]>([
    [
      'client',
      () => leafOf('client'),
      {
        ...{ ...IDENTIFIERS, ...URLS_SHOWN, 'X509v3 Key Usage critical': 'Digital Signature' },
        'X509v3 Extended Key Usage': 'TLS Web Client Authentication',
        'X509v3 Subject Alternative Name': 'URI:https://app.partner.example',
      },
    ],
    [
      'server',
      () => leafOf('server'),
      {
        ...{ ...IDENTIFIERS, ...URLS_SHOWN, 'X509v3 Key Usage critical': 'Digital Signature' },
        'X509v3 Extended Key Usage': 'TLS Web Server Authentication',
        'X509v3 Subject Alternative Name': 'URI:https://app.partner.example, DNS:app.partner.example',
      },
    ],
    [
      'signing',
      () => leafOf('signing'),
      {
        ...{ ...IDENTIFIERS, ...URLS_SHOWN, 'X509v3 Key Usage critical': 'Digital Signature, Non Repudiation' },
        'X509v3 Extended Key Usage': '1.3.6.1.5.5.7.3.36',
        'X509v3 Subject Alternative Name': 'URI:https://app.partner.example',
      },
    ],
    [
      'ocsp-responder',
      () => leafOf('ocsp-responder'),
      {
        ...{ ...IDENTIFIERS, 'X509v3 Key Usage critical': 'Digital Signature' },
        ...{ 'X509v3 Extended Key Usage': 'OCSP Signing', 'OCSP No Check': '' },
      },
    ],
    [
      'issuing-authority',
      () => issuerWith('ES256').der,
      { ...AUTHORITY_USAGE, 'X509v3 Basic Constraints critical': 'CA:TRUE, pathlen:0' },
    ],
    ['root-authority', () => ROOT.der, { ...AUTHORITY_USAGE, 'X509v3 Basic Constraints critical': 'CA:TRUE' }],
  ])('of %s', async (_, certificate, extensions) => {
    expect(await shownExtensions(certificate())).toEqual(extensions);
  });

  it('and the subject, letters beyond ASCII too', async () => {
    const file = folder.write('subject.pem', pem(leafOf('client')));
    const shown = await openssl('x509', '-in', file, '-noout', '-subject', '-nameopt', 'RFC2253,utf8,-esc_msb');
    expect(shown.trim()).toBe('subject=CN=client,O=Partner Société');
  });
});

describe('[F20] openssl req -verify', () => {
  it.each(['ES256', 'ES384', 'RS256'] as const)('believes a request of ours with %s', async (alg) => {
    const key = keyFor(alg);
    const spki = spkiOf(key);
    const subject = [{ type: '2.5.4.3', text: 'Issuing CA' }];
    const contents = lintCertificateRequest(writeCertificationRequestInfo({ subject, spki }), { alg, spki }).spend();
    const hash = alg === 'ES384' ? 'sha384' : 'sha256';
    const signature = sign(hash, contents.toBeSigned, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    const file = folder.write('ca.req', armoured('CERTIFICATE REQUEST', signedDer(contents, signature)));
    const said = await openssl('req', '-in', file, '-verify', '-noout', '-subject');
    expect(said).toMatch(/verify OK/);
    expect(said).toMatch(/subject=CN = Issuing CA/);
  });
});
