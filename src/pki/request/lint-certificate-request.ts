/** Reads a request of ours anew before it is signed. */
import { CertificateError } from '../certificate-error.ts';
import { parseDer, TAG } from '../der.ts';
import { parseDistinguishedName } from '../names/distinguished-name.ts';
import { parsePublicKey } from '../public-key.ts';
import { type LintedDer, lintedDer, type X509Algorithm } from '../signed/linted-der.ts';

export interface RequestExpectations {
  /** Of the key that signs it. */
  alg: X509Algorithm;
  /** SubjectPublicKeyInfo in DER of that key. */
  spki: Uint8Array;
}

/**
 * @param info DER of a CertificationRequestInfo
 * @throws CertificateError
 */
export function lintCertificateRequest(info: Uint8Array, { alg, spki }: RequestExpectations): LintedDer {
  const { tag, children } = parseDer(info);
  const [version, name, key, attributes, ...others] = children;
  const isWhole = tag === TAG.sequence && version?.tag === TAG.integer && attributes?.tag === TAG.context0;
  if (!isWhole || others.length > 0 || attributes.children.length > 0 || version.contents[0] !== 0) {
    throw refused('is no request of PKCS #10');
  }
  if (parseDistinguishedName(name).relativeNames.length === 0) throw refused('names nobody');
  if (key === undefined || Buffer.compare(key.bytes, spki) !== 0) throw refused('is for another key than signs it');
  parsePublicKey(spki);
  return lintedDer({ kind: 'certificate-request', alg, toBeSigned: info });
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `is not signed: it ${what}`);
}
