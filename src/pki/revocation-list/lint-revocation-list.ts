/** Reads a list of revocations anew before it is signed: it says what was meant, and nothing else. */
import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { parsePathCertificate } from '../path/path-certificate.ts';
import { type LintedDer, lintedDer, type X509Algorithm } from '../signed/linted-der.ts';
import { ALGORITHM_IDENTIFIERS } from '../signed/signed-der.ts';
import { parseTbsRevocationList } from './parse-revocation-list.ts';

export interface RevocationListExpectations {
  /** Of the key that signs it. */
  alg: X509Algorithm;
  /** DER of the certificate of who signs it. */
  issuer: Uint8Array;
  /** Of the newest list before it; 0: there is none. */
  numberBefore: number;
  /** From its beginning to its end, in seconds. */
  lifetimeSeconds: number;
  /** How many certificates are on it. */
  entries: number;
}

/**
 * @param tbs DER of a TBSCertList
 * @throws CertificateError
 */
export function lintRevocationList(tbs: Uint8Array, expected: RevocationListExpectations): LintedDer {
  const { alg } = expected;
  const list = parseTbsRevocationList(tbs);
  const issuer = parsePathCertificate(expected.issuer);
  const issuerName = parseDer(expected.issuer).children[0]?.children[5]?.bytes ?? new Uint8Array();
  if (!isSame(list.algorithm, ALGORITHM_IDENTIFIERS[alg])) throw refused('names another algorithm than its key has');
  if (!isSame(list.issuer, issuerName)) throw refused('names another issuer than who signs it');
  if (list.authorityKeyIdentifier !== issuer.subjectKeyId) throw refused('names another key of its issuer');
  if (issuer.keyUsage !== null && !issuer.keyUsage.includes('cRLSign')) {
    throw refused('would be of a key that does not sign such lists by its certificate');
  }
  if (list.number <= BigInt(expected.numberBefore)) throw refused('has a number that is not above those before it');
  if (list.nextUpdate - list.thisUpdate !== expected.lifetimeSeconds) throw refused('lives longer or shorter than set');
  if (list.entryCount !== expected.entries) throw refused('has more or fewer entries than there are certificates');
  return lintedDer({ kind: 'revocation-list', alg, toBeSigned: tbs });
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `is not signed: it ${what}`);
}
