/** Answers of a responder without any status of a certificate: they are not signed. @see RFC 6960 §4.2.1, §2.3 */
import { type Der, enumerated, sequence } from '../der-writer.ts';

/** OCSPResponseStatus, those that we give. */
const STATUSES = {
  /** What came is no request. */
  malformedRequest: 1,
  /** Something of ours went wrong. */
  internalError: 2,
  /** What counts cannot be told, or signed, for the moment. */
  tryLater: 3,
  /** Certificates of somebody else, for whom we do not speak. */
  unauthorized: 6,
} as const;

export type OcspErrorStatus = keyof typeof STATUSES;

export class OcspError extends Error {
  override readonly name = 'OcspError';
  readonly status: OcspErrorStatus;

  constructor(status: OcspErrorStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** DER of an OCSPResponse that says nothing else. */
export function writeOcspError(status: OcspErrorStatus): Der {
  return sequence(enumerated(STATUSES[status]));
}
