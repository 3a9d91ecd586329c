/** Whether a request is signed with the key that it is for. @see RFC 2986 §4.2 */
import { constants, createPublicKey, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf } from '../der.ts';
import { isSuitableSignature } from '../signature-algorithm.ts';

interface Scheme {
  /** Of the key. */
  type: string;
  hash: string | null;
  options?: Omit<VerifyKeyObjectInput, 'key'>;
}

const PKCS1 = { padding: constants.RSA_PKCS1_PADDING };
const SCHEMES: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': { type: 'rsa', hash: 'sha256', options: PKCS1 },
  '1.2.840.113549.1.1.12': { type: 'rsa', hash: 'sha384', options: PKCS1 },
  '1.2.840.113549.1.1.13': { type: 'rsa', hash: 'sha512', options: PKCS1 },
  '1.2.840.10045.4.3.2': { type: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { type: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { type: 'ec', hash: 'sha512' },
  '1.3.101.112': { type: 'ed25519', hash: null },
  '1.3.101.113': { type: 'ed448', hash: null },
};
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const PSS_HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * @param spki of a key that is taken; see public-key.ts
 * @throws CertificateError algorithm_unsupported
 */
export function isSignedWith(
  spki: Uint8Array,
  algorithm: DerValue,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const scheme = isSuitableSignature(algorithm) ? schemeOf(algorithm) : undefined;
  if (scheme === undefined) {
    const message = 'is signed with something else than RSA, ECDSA or EdDSA and SHA-2';
    throw new CertificateError('algorithm_unsupported', message);
  }
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== scheme.type) return false;
  return verify(scheme.hash, signed, { ...scheme.options, key }, signature);
}

function schemeOf({ children: [algorithm, parameters] }: DerValue): Scheme | undefined {
  const oid = oidOf(algorithm) ?? '';
  if (oid !== RSASSA_PSS) return SCHEMES[oid];
  const hash = PSS_HASHES[oidOf(parameters?.children[0]?.children[0]?.children[0]) ?? ''];
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return hash === undefined ? undefined : { type: 'rsa', hash, options };
}
