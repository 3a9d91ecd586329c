/** Why a certificate has no path to a trust anchor: a reason, the certificate, the rule, what to do. @see RFC 5280 §6 */
import type { CertificateReason } from '../certificate-error.ts';
import { CertificateError } from '../certificate-error.ts';

/** Stable: tests assert them, answers show them. What cannot even be read has a reason of `CERTIFICATE_REASONS`. */
export const PATH_REASONS = {
  /** Nobody on the trust list is behind it. */
  chain_untrusted: 'RFC 5280 §6.1.1 (d)',
  /** Somebody has the name of its issuer, and has not signed it. */
  signature_invalid: 'RFC 5280 §6.1.3 (a)(1)',
  /** MD5, SHA-1, or whatever else nobody should rely on. */
  algorithm_unsupported: 'RFC 5280 §6.1.3 (a)(1)',
  weak_key: 'RFC 5280 §6.1.3 (a)(1)',
  certificate_expired: 'RFC 5280 §6.1.3 (a)(2)',
  certificate_not_yet_valid: 'RFC 5280 §6.1.3 (a)(2)',
  name_not_permitted: 'RFC 5280 §6.1.3 (b), (c)',
  policy_missing: 'RFC 5280 §6.1.3 (f), §6.1.5 (g), RFC 9618',
  policy_invalid: 'RFC 5280 §6.1.4 (a)',
  issuer_not_authority: 'RFC 5280 §6.1.4 (k), (n)',
  path_too_long: 'RFC 5280 §6.1.4 (l), (m)',
  /** A critical extension that nobody here understands. */
  extension_unknown: 'RFC 5280 §6.1.4 (o), §6.1.5 (f)',
  /** Not meant for what it shall be used for. */
  usage_unsuitable: 'RFC 5280 §4.2.1.3, §4.2.1.12',
  /** More was handed in than anybody needs, or the search for a path was given up. */
  chain_too_complex: 'RFC 4158 §2.4.2',
} as const satisfies Record<string, string>;

export type PathReason = keyof typeof PATH_REASONS | CertificateReason;

/** As what a certificate was handed in. */
export type PathSource = 'leaf' | 'intermediates' | 'anchors';

/** Which certificate, without the certificate. */
export interface PlaceInPath {
  from: PathSource;
  /** Its place among those handed in; 0 for the leaf. */
  index: number;
  /** RFC 4514; null: it could not be read. */
  subject: string | null;
  issuer: string | null;
  /** SHA-256 over its DER, base64url. */
  x5tS256: string | null;
}

export interface PathRefusal {
  reason: PathReason;
  certificate: PlaceInPath;
  /** The section that says so. */
  rule: string;
  /** What is wrong and what to do. */
  message: string;
}

/** Thrown by the rules, caught by the search for a path. */
export class PathError extends Error implements PathRefusal {
  override readonly name = 'PathError';
  readonly reason: PathReason;
  readonly certificate: PlaceInPath;
  readonly rule: string;

  constructor(reason: keyof typeof PATH_REASONS, certificate: PlaceInPath, message: string) {
    super(message);
    this.reason = reason;
    this.certificate = certificate;
    this.rule = PATH_REASONS[reason];
  }
}

/** The refusal in an error; any other error goes on. */
export function refusalOf(error: unknown, certificate: PlaceInPath): PathRefusal {
  if (error instanceof PathError) {
    const { reason, rule, message } = error;
    return { reason, certificate: error.certificate, rule, message };
  }
  if (!(error instanceof CertificateError)) throw error;
  return { reason: error.reason, certificate, rule: 'RFC 5280 §4.1, §4.2', message: error.message };
}
