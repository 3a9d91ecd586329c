/** Certificates of our own making without a registry: planned, written, linted, and signed with keys of the test. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { parseDer } from '../../src/pki/der.ts';
import { writeName } from '../../src/pki/names/write-name.ts';
import type { CertificateProfileName } from '../../src/pki/profile/certificate-profile.ts';
import { keyIdentifierOf } from '../../src/pki/profile/key-identifier.ts';
import { lintCertificate } from '../../src/pki/profile/lint-certificate.ts';
import {
  type AlternativeName,
  type CertificatePlan,
  writeTbsCertificate,
} from '../../src/pki/profile/write-certificate.ts';
import type { X509Algorithm } from '../../src/pki/signed/linted-der.ts';
import { signedDer } from '../../src/pki/signed/signed-der.ts';
import { ecKey, type KeyPair, rsaKey } from './certificates.ts';

export const PROFILE_NAMES = [
  'client',
  'server',
  'signing',
  'ocsp-responder',
  'issuing-authority',
  'root-authority',
] as const satisfies readonly CertificateProfileName[];

/** 2027-01-15, in seconds. */
export const BEGIN = 1_799_971_200;
export const DAY = 86_400;

export interface OwnAuthority {
  alg: X509Algorithm;
  key: KeyPair;
  der: Buffer;
}

export function keyFor(alg: X509Algorithm): KeyPair {
  if (alg === 'RS256') return rsaKey();
  return ecKey(alg === 'ES256' ? 'P-256' : 'P-384');
}

export function ed25519Key(): KeyPair {
  return generateKeyPairSync('ed25519');
}

export function spkiOf({ publicKey }: KeyPair): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

/** DER of the subject of a certificate. */
export function subjectOf(certificate: Uint8Array): Uint8Array {
  return parseDer(certificate).children[0]?.children[5]?.bytes ?? new Uint8Array();
}

const ENTITY = 'https://app.partner.example';
export const URLS = {
  revocationList: 'https://fed.example/ca/1/crl',
  ocsp: 'https://fed.example/ca/1/ocsp',
  issuer: 'https://fed.example/ca/1/certificate',
};
const NAMES_OF: Partial<Record<CertificateProfileName, readonly AlternativeName[]>> = {
  client: [{ form: 'uri', text: ENTITY }],
  server: [
    { form: 'uri', text: ENTITY },
    { form: 'dns', text: 'app.partner.example' },
  ],
  signing: [{ form: 'uri', text: ENTITY }],
};

/** One that passes its lint unless told otherwise: for a key, by an authority or by itself. */
export function planFor(
  profile: CertificateProfileName,
  issuer: OwnAuthority | KeyPair,
  spki: Uint8Array,
  changes: Partial<CertificatePlan> = {},
): CertificatePlan {
  const isRevocable = NAMES_OF[profile] !== undefined;
  const subject = changes.subject ?? [
    { type: '2.5.4.10', text: 'Partner Société' },
    { type: '2.5.4.3', text: profile },
  ];
  return {
    ...{ profile, alg: 'der' in issuer ? issuer.alg : 'ES256', serial: Buffer.from('5b17'.repeat(8), 'hex'), subject },
    issuer: 'der' in issuer ? subjectOf(issuer.der) : writeName(subject),
    alternativeNames: NAMES_OF[profile] ?? [],
    ...{ notBefore: BEGIN, notAfter: BEGIN + 20 * DAY, spki },
    authorityKeyIdentifier: 'der' in issuer ? Buffer.from(keyIdentifierOf(spkiOf(issuer.key))) : null,
    ...(isRevocable && { urls: URLS }),
    ...changes,
  };
}

/** DER of what is signed, with a signature of the key. */
export function signedBy(key: KeyPair, alg: X509Algorithm, toBeSigned: Uint8Array): Buffer {
  const hash = alg === 'ES384' ? 'sha384' : 'sha256';
  const signature = sign(hash, toBeSigned, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return Buffer.from(signedDer({ kind: 'certificate', alg, toBeSigned }, signature));
}

/** A root of ours. */
export function ownRoot(alg: X509Algorithm = 'ES256'): OwnAuthority {
  const key = keyFor(alg);
  const subject = [{ type: '2.5.4.3', text: 'Own Root' }];
  const plan = { ...planFor('root-authority', key, spkiOf(key), { subject }), alg, notAfter: BEGIN + 7000 * DAY };
  return { alg, key, der: issued(plan, 'self', key) };
}

/** An authority of ours below a root. */
export function ownAuthority(root: OwnAuthority, key: KeyPair, alg: X509Algorithm): OwnAuthority {
  const subject = [
    { type: '2.5.4.10', text: 'Federation Ltd' },
    { type: '2.5.4.3', text: 'Own Issuing CA' },
  ];
  const plan = planFor('issuing-authority', root, spkiOf(key), { subject, notAfter: BEGIN + 3000 * DAY });
  return { alg, key, der: issued(plan, root, root.key) };
}

/** What a plan becomes when it passes its lint. */
export function issued(plan: CertificatePlan, issuer: OwnAuthority | 'self', key: KeyPair): Buffer {
  const { profile, alg, spki } = plan;
  const tbs = writeTbsCertificate(plan);
  const above = issuer === 'self' ? issuer : { certificate: issuer.der };
  return signedBy(key, alg, lintCertificate(tbs, { profile, alg, issuer: above, spki }).spend().toBeSigned);
}
