/** What clients are asked to put into a request. @see RFC 7030 §4.5.2, RFC 8951 §3.3 */
import { type Der, oid, sequence, setOf } from '../der-writer.ts';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** A key on P-256, and its owner's signature with SHA-256; other strong keys will do. */
export function writeCertificateRequestAttributes(): Der {
  return sequence(sequence(oid(EC_PUBLIC_KEY), setOf(oid(P256))), oid(ECDSA_WITH_SHA256));
}
