/** How bytes of certificates are written in headers, each read in its one way. @see RFC 4648 §4, RFC 3986 §2.1, RFC 7468 */
import { CertificateError } from '../certificate-error.ts';
import { decodePem, MAX_CERTIFICATE_BYTES } from '../pem.ts';
import { CertificateHeaderError, malformed } from './header-error.ts';

/** A chain of certificates, each escaped: servers stop long before. */
export const MAX_HEADER_LENGTH = 64 * 1024;
/** A leaf and ten above it. */
export const MAX_HEADER_CERTIFICATES = 11;

const VISIBLE = /^(?:[!-$&-~]|%[0-9A-Fa-f]{2})*$/;

/** Without spaces and tabs around it; not by an expression, which is slow where thousands stand in the middle. */
export function withoutBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

/** Base64 with its padding, without line ends. @throws CertificateHeaderError header_malformed, header_too_large */
export function certificateOfBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw malformed('is not base64');
  return requireWhole(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** Certificates as PEM blocks. @throws CertificateHeaderError header_malformed, header_too_large, header_repeated */
export function certificatesOfPem(text: string): [Uint8Array, ...Uint8Array[]] {
  try {
    const [first, ...others] = decodePem(text).map(requireWhole);
    if (first === undefined) throw malformed('has no certificate');
    return [first, ...others];
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw malformed(error.message);
  }
}

/** @throws CertificateHeaderError header_repeated, and as `certificatesOfPem` */
export function certificateOfPem(text: string): Uint8Array {
  const [certificate, ...others] = certificatesOfPem(text);
  if (others.length === 0) return certificate;
  throw new CertificateHeaderError('header_repeated', 'has more than one certificate');
}

/** Escaped bytes become letters of the same number; a plus sign stays one. @throws CertificateHeaderError header_malformed */
export function unescaped(text: string): string {
  if (!VISIBLE.test(text)) throw malformed('is not URL-encoded');
  return text.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** One sequence that ends with the bytes. What is in it is not looked at: it is found by its hash, or refused later. */
function requireWhole(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateHeaderError(
      'header_too_large',
      `has a certificate of more than ${MAX_CERTIFICATE_BYTES} bytes`,
    );
  }
  const [first = 0, second = 0, third = 0] = [bytes[1], bytes[2], bytes[3]];
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = count === 0 ? first : count === 1 ? second : second * 256 + third;
  if (bytes[0] !== 0x30 || count > 2 || 2 + count + length !== bytes.length)
    throw malformed('has no whole certificate');
  return bytes;
}
