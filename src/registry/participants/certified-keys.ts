/** Certificates that Federation Entity Keys come with, as far as TLS may be spoken with them. @see RFC 7517 §4.7 */
import type { JsonObject } from '../../federation/json.ts';
import { CertificateError } from '../../pki/certificate-error.ts';
import { certificateComplaint } from '../../pki/certificate-usage.ts';
import { subjectIdentifiers } from '../../pki/names/subject-identifiers.ts';
import { parseCertificates } from '../../pki/parse-certificate.ts';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import { type PublicJwk, parsePublicJwk } from '../../pki/public-key.ts';
import type { NamedSubject } from '../credentials/subject-complaint.ts';
import { derOf } from '../trust-lists/listed-path.ts';
import type { CertifiedKey } from './known-participants.ts';

/** A registered key as the database has it, with times in seconds. */
export interface RegisteredKeyRow {
  publicJwk: JsonObject;
  expiresAt: number | null;
}

export interface UnjudgedKey extends Omit<CertifiedKey, 'objection'> {
  /** Whom the certificate names. */
  named: NamedSubject;
}

/** Those whose certificate is of this very key and can be used so; what cannot be read is nobody's. */
export function certifiedKeysOf(rows: readonly RegisteredKeyRow[]): readonly UnjudgedKey[] {
  if (rows.length === 0) return NONE;
  return rows.map(certifiedKeyOf).filter((key) => key !== undefined);
}

const NONE: readonly never[] = [];

function certifiedKeyOf({ publicJwk, expiresAt }: RegisteredKeyRow): UnjudgedKey | undefined {
  const { kid, x5c } = publicJwk;
  if (typeof kid !== 'string' || !isTextList(x5c) || x5c[0] === undefined) return undefined;
  try {
    const [leaf] = parseCertificates(derOf(x5c[0]));
    const { spkiSha256 } = parsePublicJwk(publicJwk as object as PublicJwk);
    if (leaf.spkiSha256 !== spkiSha256 || certificateComplaint(leaf, 'transport') !== undefined) return undefined;
    // A key with `exp` counts no more at that second, a certificate is valid to the end of its last.
    const notAfter = Math.min(leaf.notAfter, expiresAt === null ? Number.POSITIVE_INFINITY : Math.ceil(expiresAt) - 1);
    const { subject, alternativeNames } = parsePathCertificate(leaf.der);
    const named = { subject, ...subjectIdentifiers(subject, alternativeNames) };
    return { kid, x5tS256: leaf.x5tS256, spkiSha256, x5c, notBefore: leaf.notBefore, notAfter, named };
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
