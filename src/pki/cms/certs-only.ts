/** Certificates in the form that EST hands them out in: signed data of CMS with nothing signed. @see RFC 5652 §5.1, RFC 7030 §4.1.3 */
import { type Der, explicit, integer, oid, sequence, setOf, tagged } from '../der-writer.ts';

const [DATA, SIGNED_DATA] = ['1.2.840.113549.1.7.1', '1.2.840.113549.1.7.2'];
/** Of signed data with X.509 certificates alone. */
const VERSION = 1;
const CERTIFICATES = 0xa0;

/** @param certificates DER of each */
export function writeCertsOnly(certificates: readonly Der[]): Der {
  // A SET OF has an order of its own: who reads it looks for who issued whom.
  const sorted = certificates.toSorted(Buffer.compare);
  const nobody = setOf();
  const signedData = sequence(integer(VERSION), setOf(), sequence(oid(DATA)), tagged(CERTIFICATES, ...sorted), nobody);
  return sequence(oid(SIGNED_DATA), explicit(0, signedData));
}
