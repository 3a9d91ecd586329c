/** `Client-Cert` and `Client-Cert-Chain`. @see RFC 9440 §2, RFC 8941 §3.3.5 */
import { certificateOfBase64, MAX_HEADER_CERTIFICATES, withoutBlanks } from './encodings.ts';
import { CertificateHeaderError, malformed } from './header-error.ts';

const BYTE_SEQUENCE = /^:([A-Za-z0-9+/]*={0,2}):$/;

/**
 * @param value `:base64:`, and nothing beside it
 * @returns null: an empty one, as gateways write it where there is no certificate
 * @throws CertificateHeaderError header_malformed, header_too_large
 */
export function readClientCert(value: string): Uint8Array | null {
  const [, base64] = BYTE_SEQUENCE.exec(value) ?? [];
  if (base64 === undefined) throw malformed('is not one byte sequence, :base64:, without parameters');
  return base64 === '' ? null : certificateOfBase64(base64);
}

/**
 * @param values a list may go on in further headers of the name
 * @returns without the leaf, each issued by the next
 * @throws CertificateHeaderError header_malformed, header_too_large
 */
export function readClientCertChain(values: readonly string[]): Uint8Array[] {
  const text = values.filter((value) => value !== '').join(',');
  if (text === '') return [];
  const items = text.split(',');
  if (items.length >= MAX_HEADER_CERTIFICATES) {
    throw new CertificateHeaderError('header_too_large', `has more than ${MAX_HEADER_CERTIFICATES - 1} certificates`);
  }
  return items.map((item) => {
    const certificate = readClientCert(withoutBlanks(item));
    if (certificate === null) throw malformed('has an empty byte sequence among certificates');
    return certificate;
  });
}
