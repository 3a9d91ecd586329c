/** Why a certificate or a key is not taken. Messages never repeat anything of what was handed in. */

/** Stable: tests assert them, answers show them. */
export const CERTIFICATE_REASONS = [
  /** Nothing that could be a certificate. */
  'certificate_malformed',
  /** Something stands before, between or after certificates, or after the end of one. */
  'trailing_data',
  /** A secret was handed in. It was refused unread. */
  'private_key',
  'certificate_too_large',
  'certificate_repeated',
  /** Certificates do not follow each other, the leaf first, each signed by the next. */
  'chain_broken',
  /** Shorter than anybody should rely on. */
  'weak_key',
  /** Of the key, or of the signature. */
  'algorithm_unsupported',
  /** Ends before it begins, or at once. */
  'validity_invalid',
  /** A name that reads as another one than it is. */
  'name_invalid',
  /** An extension that is there twice, cannot be read, or is critical and unknown. */
  'extension_invalid',
  /** Not meant for what it shall be used for. */
  'usage_unsuitable',
  /** Nothing that could be a request for a certificate. */
  'request_malformed',
  /** A request that is not signed with the key that it is for. */
  'csr_signature_invalid',
  /** Something of our own that is not as it should be, and so is not signed. */
  'lint_failed',
] as const;

export type CertificateReason = (typeof CERTIFICATE_REASONS)[number];

export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly reason: CertificateReason;

  constructor(reason: CertificateReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
