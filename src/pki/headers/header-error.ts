/** Why a header with a certificate is not taken. Messages never repeat anything of what was in it. */

/** Stable: tests assert them, answers show them. */
export const CERTIFICATE_HEADER_REASONS = [
  /** It stands there twice, or has more than one certificate for one connection. */
  'header_repeated',
  'header_too_large',
  /** Not in its form: another encoding, cut, or with something beside it. */
  'header_malformed',
  /** What it says of the certificate is not true of it. */
  'header_contradictory',
] as const;

export type CertificateHeaderReason = (typeof CERTIFICATE_HEADER_REASONS)[number];

export class CertificateHeaderError extends Error {
  override readonly name = 'CertificateHeaderError';
  readonly reason: CertificateHeaderReason;

  constructor(reason: CertificateHeaderReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export function malformed(message: string): CertificateHeaderError {
  return new CertificateHeaderError('header_malformed', message);
}
