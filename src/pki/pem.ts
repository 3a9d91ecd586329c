/** Certificates as text. @see RFC 7468 §2, §5 */
import { CertificateError } from './certificate-error.ts';

/** Of one certificate, in bytes: large ones have about 4 KiB. */
export const MAX_CERTIFICATE_BYTES = 16 * 1024;

/** A leaf and those above it. */
export const MAX_CHAIN_LENGTH = 6;

/** As characters of PEM, white space around it included. */
export const MAX_PEM_LENGTH = MAX_CHAIN_LENGTH * MAX_CERTIFICATE_BYTES * 1.5;

const PRIVATE_KEY = /-----BEGIN[^-]{0,40}PRIVATE KEY|-----BEGIN OPENSSH/i;
const BLOCK = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*?)-----END CERTIFICATE-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether a text has a private key in it, whatever else. */
export function hasPrivateKey(text: string): boolean {
  return PRIVATE_KEY.test(text);
}

/**
 * The certificates of a text that has nothing else in it, in their order, as DER that nobody has read yet.
 * @throws CertificateError private_key, certificate_too_large, trailing_data, certificate_malformed
 */
export function decodePem(text: string): Uint8Array[] {
  if (hasPrivateKey(text)) {
    throw new CertificateError('private_key', 'holds a private key; send the certificate alone, and replace that key');
  }
  if (text.length > MAX_PEM_LENGTH) {
    throw new CertificateError('certificate_too_large', `has more than ${MAX_PEM_LENGTH} characters`);
  }
  const certificates = [...text.matchAll(BLOCK)].map(([, base64 = '']) => decodeBase64(base64));
  if (certificates.length === 0) {
    throw new CertificateError('certificate_malformed', 'is no PEM: -----BEGIN CERTIFICATE-----, base64, and its end');
  }
  if (text.replaceAll(BLOCK, '').trim() !== '') {
    throw new CertificateError('trailing_data', 'has something beside certificates; send their PEM blocks alone');
  }
  return certificates;
}

/** A certificate in the way that `openssl x509` writes it. */
export function encodePem(der: Uint8Array): string {
  return encodePemBlock('CERTIFICATE', der);
}

/** The same of a request or a list of revocations. @see RFC 7468 §6, §7 */
export function encodePemBlock(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'X509 CRL', der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * The one block of a kind that a text has, and nothing else.
 * @throws CertificateError private_key, certificate_malformed
 */
export function decodePemBlock(label: 'CERTIFICATE REQUEST' | 'X509 CRL', text: string): Uint8Array {
  if (hasPrivateKey(text)) {
    throw new CertificateError('private_key', 'holds a private key; send the rest alone, and replace that key');
  }
  // Old tools write NEW before it.
  const block = new RegExp(
    `^\\s*-----BEGIN (NEW )?${label}-----([A-Za-z0-9+/=\\s]*)-----END (NEW )?${label}-----\\s*$`,
  );
  const [, , base64] = (text.length <= MAX_PEM_LENGTH && block.exec(text)) || [];
  if (base64 !== undefined) return decodeBase64(base64);
  throw new CertificateError('certificate_malformed', `is no PEM: -----BEGIN ${label}-----, base64, and its end`);
}

function decodeBase64(text: string): Uint8Array {
  const base64 = text.replaceAll(/\s/g, '');
  const bytes = Buffer.from(base64, 'base64');
  if (!BASE64.test(base64) || bytes.toString('base64') !== base64) {
    throw new CertificateError('certificate_malformed', 'is not base64 between its first and last line');
  }
  return new Uint8Array(bytes);
}
