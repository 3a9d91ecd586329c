/** Writes what is signed of a request for a certificate. @see RFC 2986 §4.1 */
import { type Der, integer, sequence, tagged } from '../der-writer.ts';
import { type NamePart, writeName } from '../names/write-name.ts';

export interface CertificateRequestPlan {
  /** From the root down. */
  subject: readonly NamePart[];
  /** SubjectPublicKeyInfo in DER. */
  spki: Der;
}

const NO_ATTRIBUTES = tagged(0xa0);

/** @returns DER of a CertificationRequestInfo; to be linted before it is signed */
export function writeCertificationRequestInfo({ subject, spki }: CertificateRequestPlan): Der {
  return sequence(integer(0), writeName(subject), spki, NO_ATTRIBUTES);
}
