/** A certification authority of somebody else, and what it issues. @see RFC 5280 */
import 'reflect-metadata';
import { KeyObject, randomBytes, type webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, PEM. */
export interface Certified {
  certificate: string;
  key: string;
  /** The public key with the certificate in `x5c`. */
  jwk: object;
}

export interface CertificateAuthority {
  /** PEM. */
  certificate: string;
  issueToClient(organisation: string): Promise<Certified>;
  /** For `localhost`. */
  issueToServer(): Promise<Certified>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export async function createCertificateAuthority(name: string): Promise<CertificateAuthority> {
  const subject: Names = [{ C: ['GB'] }, { CN: [name] }];
  const keys = await newKeys();
  const certificate = await sign(subject, keys.publicKey, { subject, keys }, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
  const issue = (names: Names, usage: ExtendedKeyUsage, ...others: Extension[]) =>
    issueLeaf(names, { subject, keys }, [new ExtendedKeyUsageExtension([usage]), ...others]);
  return {
    certificate: pem(certificate),
    issueToClient: (organisation) =>
      issue([{ C: ['GB'] }, { O: [organisation] }, { CN: ['client'] }], ExtendedKeyUsage.clientAuth),
    issueToServer: () => {
      const names = new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]);
      return issue([{ CN: ['localhost'] }], ExtendedKeyUsage.serverAuth, names);
    },
  };
}

/** A distinguished name, an attribute each. */
type Names = Record<string, string[]>[];

interface Issuer {
  subject: Names;
  keys: webcrypto.CryptoKeyPair;
}

async function issueLeaf(subject: Names, issuer: Issuer, extensions: Extension[]): Promise<Certified> {
  const keys = await newKeys();
  const usages = new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);
  const certificate = await sign(subject, keys.publicKey, issuer, [usages, ...extensions]);
  const jwk = KeyObject.from(keys.publicKey).export({ format: 'jwk' });
  const x5c = [Buffer.from(certificate.rawData).toString('base64')];
  return {
    certificate: pem(certificate),
    key: KeyObject.from(keys.privateKey).export({ format: 'pem', type: 'pkcs8' }).toString(),
    jwk: { ...jwk, kid: randomBytes(8).toString('hex'), use: 'sig', x5c },
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function sign(
  subject: Names,
  publicKey: webcrypto.CryptoKey,
  issuer: Issuer,
  extensions: Extension[],
): Promise<X509Certificate> {
  return await X509CertificateGenerator.create({
    serialNumber: `4${randomBytes(15).toString('hex')}0`,
    subject,
    issuer: issuer.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey,
    signingKey: issuer.keys.privateKey,
    extensions,
  });
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
