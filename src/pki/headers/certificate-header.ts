/**
 * Certificates of clients as gateways hand them on in headers, a form a gateway. Only the header of an authenticated
 * gateway, which deletes what clients send by that name, says anything about the connection.
 * @see RFC 9440
 */
import { X509Certificate } from 'node:crypto';
import { readClientCert, readClientCertChain } from './client-cert.ts';
import {
  certificateOfBase64,
  certificateOfPem,
  MAX_HEADER_CERTIFICATES,
  MAX_HEADER_LENGTH,
  unescaped,
  withoutBlanks,
} from './encodings.ts';
import { readForwardedClientCert } from './forwarded-client-cert.ts';
import { CertificateHeaderError, malformed } from './header-error.ts';

export interface HeaderCertificate {
  /** DER, found whole, read by nobody yet. */
  leaf: Uint8Array;
  /** Those above it, as far as the form has them. */
  chain: readonly Uint8Array[];
}

/** Values of a header as they were received, one for each time it stands there: nobody may have joined them. */
export interface CertificateHeaders {
  certificate: readonly string[];
  /** Of `rfc9440` alone. */
  chain?: readonly string[];
}

type Reader = (value: string, chain: readonly string[]) => HeaderCertificate | null;

const READERS = {
  /** `Client-Cert: :base64:`; HAProxy writes it from `ssl_c_der,base64`. */
  rfc9440: (value, chain) => {
    const leaf = readClientCert(value);
    const above = readClientCertChain(chain);
    if (leaf === null && above.length > 0) throw malformed('has a chain and no certificate');
    return leaf === null ? null : { leaf, chain: above };
  },
  /** `$ssl_client_escaped_cert`: PEM, URL-encoded. */
  nginx: (value) => ({ leaf: certificateOfPem(unescaped(value)), chain: [] }),
  /** `x-forwarded-client-cert` of Envoy. */
  xfcc: readForwardedClientCert,
  /** PassTLSClientCert `pem: true`: PEM without its first and last line, in older versions URL-encoded. */
  traefik: (value) => {
    const [leaf = '', ...above] = unescaped(value).split(',');
    if (above.length >= MAX_HEADER_CERTIFICATES) {
      throw new CertificateHeaderError('header_too_large', `has more than ${MAX_HEADER_CERTIFICATES} certificates`);
    }
    const read = { leaf: certificateOfBase64(leaf), chain: above.map(certificateOfBase64) };
    requireIssued(read);
    return read;
  },
  /** `{http.request.tls.client.certificate_der_base64}`. */
  caddy: (value) => ({ leaf: certificateOfBase64(value), chain: [] }),
  /** `%{SSL_CLIENT_CERT}s`: PEM with spaces for line ends. */
  apache: (value) => (value === '(null)' ? null : { leaf: certificateOfPem(value), chain: [] }),
} as const satisfies Record<string, Reader>;

/** Two headers that somebody joined look like a chain, and the first of them is the client's own invention. */
function requireIssued({ leaf, chain }: HeaderCertificate): void {
  if (chain.length === 0) return;
  try {
    const certificates = [leaf, ...chain].map((bytes) => new X509Certificate(bytes));
    const isChain = certificates.every((issued, index) => {
      const issuer = certificates[index + 1];
      return issuer === undefined || (issued.checkIssued(issuer) && issued.verify(issuer.publicKey));
    });
    if (isChain) return;
  } catch {
    // Then it is no certificate, or its key is none that is understood.
  }
  throw malformed('has certificates of which not each is issued by the next');
}

/** How a gateway writes a certificate. */
export type CertificateHeaderForm = keyof typeof READERS;

export const CERTIFICATE_HEADER_FORMS = Object.keys(READERS) as readonly CertificateHeaderForm[];

/**
 * @returns null: the gateway says that there is no certificate
 * @throws CertificateHeaderError
 */
export function readCertificateHeader(
  form: CertificateHeaderForm,
  { certificate, chain = [] }: CertificateHeaders,
): HeaderCertificate | null {
  const length = [...certificate, ...chain].reduce((sum, value) => sum + value.length, 0);
  if (length > MAX_HEADER_LENGTH) {
    throw new CertificateHeaderError('header_too_large', `has more than ${MAX_HEADER_LENGTH} characters`);
  }
  const [value = '', ...repeated] = certificate.map(withoutBlanks);
  if (repeated.length > 0) {
    throw new CertificateHeaderError(
      'header_repeated',
      'stands there more than once; delete what clients send by that name',
    );
  }
  const read: Reader = READERS[form];
  if (value !== '') return read(value, chain);
  if (chain.some((text) => text !== '')) throw malformed('has a chain and no certificate');
  return null;
}
