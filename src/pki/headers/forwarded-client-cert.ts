/** `x-forwarded-client-cert` of Envoy: elements between commas, pairs between semicolons, values in quotes where needed. */
import { createHash } from 'node:crypto';
import { certificateOfPem, certificatesOfPem, MAX_HEADER_CERTIFICATES, unescaped } from './encodings.ts';
import { CertificateHeaderError, malformed } from './header-error.ts';

/** Pairs of one element, keys in small letters. Only `uri`, `dns` and `by` may be there twice. */
export type ForwardedElement = readonly (readonly [key: string, value: string])[];

/** A quoted value with its escapes, or one without quotes; then what follows it. */
const PAIR = /([A-Za-z]{1,32})=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))([,;]|$)/y;
const MAX_PAIRS = 512;

/**
 * Reads the certificate of the only element. `Hash`, which Envoy always writes, has to be that of the certificate: what
 * a stranger smuggles into a value without quotes, such as a URI, makes a second one.
 * An element without a certificate is not the word for none: somebody has one, which the proxy is set up to leave out.
 * @throws CertificateHeaderError header_repeated, header_malformed, header_too_large, header_contradictory
 */
export function readForwardedClientCert(value: string): { leaf: Uint8Array; chain: Uint8Array[] } {
  const [element = [], ...others] = parseForwardedElements(value);
  if (others.length > 0) {
    const message = 'has elements of several proxies; let the last one replace it (SANITIZE_SET)';
    throw new CertificateHeaderError('header_repeated', message);
  }
  const [certificate, chain, hash] = [only(element, 'cert'), only(element, 'chain'), only(element, 'hash')];
  const [first, ...above] = chain === undefined ? [] : certificatesOfPem(unescaped(chain));
  const leaf = certificate === undefined ? first : certificateOfPem(unescaped(certificate));
  if (leaf === undefined) throw malformed('has no certificate beside what it says of one');
  if (above.length >= MAX_HEADER_CERTIFICATES) {
    throw new CertificateHeaderError('header_too_large', `has more than ${MAX_HEADER_CERTIFICATES} certificates`);
  }
  if (first !== undefined && !Buffer.from(first).equals(leaf)) {
    throw new CertificateHeaderError('header_contradictory', 'has a chain that does not begin with its certificate');
  }
  if (hash?.toLowerCase() !== createHash('sha256').update(leaf).digest('hex')) {
    throw new CertificateHeaderError('header_contradictory', 'has not the hash of its certificate');
  }
  return { leaf, chain: above };
}

/** @throws CertificateHeaderError header_malformed */
export function parseForwardedElements(value: string): ForwardedElement[] {
  const elements: [string, string][][] = [[]];
  for (let at = 0, pairs = 0; ; pairs++) {
    PAIR.lastIndex = at;
    const [whole, key = '', quoted, plain = '', separator] = PAIR.exec(value) ?? [];
    if (whole === undefined || pairs >= MAX_PAIRS) throw malformed('is no list of key=value');
    const text = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
    elements.at(-1)?.push([key.toLowerCase(), text]);
    at += whole.length;
    if (separator === '') return elements;
    if (separator === ',') {
      elements.push([]);
      while (value[at] === ' ' || value[at] === '\t') at += 1;
    }
  }
}

function only(element: ForwardedElement, key: string): string | undefined {
  const [value, ...others] = element.flatMap(([name, text]) => (name === key ? [text] : []));
  if (others.length === 0) return value;
  throw new CertificateHeaderError('header_repeated', `has ${key} twice in one element`);
}
