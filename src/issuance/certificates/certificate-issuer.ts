/** Issues certificates with the keys of our certification authorities: order → TBSCertificate → lint → sign → verify. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { parseDer } from '../../pki/der.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { profileOf } from '../../pki/profile/certificate-profile.ts';
import { lintCertificate } from '../../pki/profile/lint-certificate.ts';
import { writeTbsCertificate } from '../../pki/profile/write-certificate.ts';
import type { CertifiedAuthorityRow } from '../../registry/certification/certification-authority.ts';
import type { IssueCertificate } from '../../registry/certification/issue-certificate.ts';
import type { SigningKey } from '../../signer/custody/key-custody.ts';
import type { Signer } from '../../signer/signer.ts';
import { certificationUrls } from './certification-urls.ts';

export interface CertificateIssuerOptions {
  signer: Pick<Signer, 'signDer'>;
  /** Bytes that nobody can guess. */
  random: (bytes: number) => Uint8Array;
}

const SERIAL_BYTES = 16;

export function createCertificateIssuer({ signer, random }: CertificateIssuerOptions): IssueCertificate {
  return async (order) => {
    const { certificationAuthority, profile, subject, alternativeNames, spki } = order;
    const { alg } = certificationAuthority;
    const issuer = issuerOf(certificationAuthority);
    const serial = newSerial(random);
    const tbs = writeTbsCertificate({
      ...{ profile, alg, serial, issuer: issuer.name, subject, alternativeNames, spki },
      notBefore: secondsOf(order.notBefore),
      notAfter: secondsOf(order.notAfter),
      authorityKeyIdentifier: issuer.keyIdentifier,
      ...(profileOf(profile).isRevocable && { urls: certificationUrls(certificationAuthority) }),
    });
    const linted = lintCertificate(tbs, { profile, alg, issuer, spki });
    const der = await signer.signDer(signingKeyOf(certificationAuthority), linted);
    // A key that was mixed up, or a token that errs, is found out before anybody has the certificate.
    if (!isSigned(der, tbs, issuer)) {
      throw new Error(`the signature of ${certificationAuthority.name} does not verify with its own certificate`);
    }
    return { der, serial: serialText(serial) };
  };
}

/** Whether it is what was to be signed, with a signature of the issuer. */
function isSigned(der: Uint8Array, tbs: Uint8Array, { publicKey }: Issuer): boolean {
  try {
    const isOfThis = Buffer.compare(parseDer(der).children[0]?.bytes ?? new Uint8Array(), tbs) === 0;
    return isOfThis && new X509Certificate(der).verify(publicKey);
  } catch {
    return false;
  }
}

interface Issuer {
  certificate: Uint8Array;
  /** DER of its subject. */
  name: Uint8Array;
  keyIdentifier: Uint8Array;
  publicKey: ReturnType<typeof createPublicKey>;
}

/** By the certificate, which stays as it is. */
const issuers = new Map<string, Issuer>();
const MAX_ISSUERS = 100;

/** What its certificate says of it. */
export function issuerOf({ x5tS256, x5c: [own = ''] }: CertifiedAuthorityRow): Issuer {
  const known = issuers.get(x5tS256);
  if (known !== undefined) return known;
  const certificate = new Uint8Array(Buffer.from(own, 'base64'));
  const { subjectKeyId, spki } = parsePathCertificate(certificate);
  const issuer = {
    certificate,
    name: parseDer(certificate).children[0]?.children[5]?.bytes ?? new Uint8Array(),
    keyIdentifier: Buffer.from(subjectKeyId ?? '', 'hex'),
    publicKey: createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
  };
  if (issuers.size >= MAX_ISSUERS) issuers.clear();
  issuers.set(x5tS256, issuer);
  return issuer;
}

/** The record's key as the signer takes it. */
export function signingKeyOf(row: CertifiedAuthorityRow): SigningKey {
  const { id: owner, kid, alg, purpose, sealedPrivateKey, tokenObject } = row;
  const key = { kid, alg, owner, purpose };
  if (tokenObject !== null) return { ...key, custody: 'pkcs11', sealedPrivateKey: null, tokenObject };
  if (sealedPrivateKey !== null) return { ...key, custody: 'sealed', sealedPrivateKey };
  throw new Error(`the key ${kid} of ${row.name} is nowhere`);
}

/** A number above 0 whose highest bit is not set: 127 random bits. */
function newSerial(random: CertificateIssuerOptions['random']): Uint8Array {
  for (;;) {
    const serial = Uint8Array.from(random(SERIAL_BYTES));
    serial[0] = (serial[0] ?? 0) & 0x7f;
    // A first byte of 0 would make the number shorter than others, and so would be a hint at it.
    if (serial[0] !== 0) return serial;
  }
}

function serialText(serial: Uint8Array): string {
  return Buffer.from(serial).toString('hex').replace(/^0+/, '');
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
