/** A new key and the request for its certificate, made on this machine. @see RFC 2986 §4 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodePemBlock } from '../../pki/pem.ts';
import { writeCertificationRequestInfo } from '../../pki/request/write-certificate-request.ts';
import { signedDer } from '../../pki/signed/signed-der.ts';

export interface NewKey {
  privateKey: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  spki: Uint8Array;
}

/** EC on P-256, which every peer knows. */
export function newKey(): NewKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** PKCS#10 as PEM, without a subject: that is the registry's to say. */
export function requestFor({ privateKey, spki }: NewKey): string {
  const toBeSigned = writeCertificationRequestInfo({ subject: [], spki });
  const signature = sign('sha256', toBeSigned, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const request = signedDer({ kind: 'certificate-request', alg: 'ES256', toBeSigned }, signature);
  return encodePemBlock('CERTIFICATE REQUEST', request);
}
