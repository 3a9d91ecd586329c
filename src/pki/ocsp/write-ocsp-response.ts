/** Writes what a responder says about certificates, before and after it is signed. @see RFC 6960 §4.2.1 */
import {
  type Der,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  octetString,
  oid,
  sequence,
  tagged,
} from '../der-writer.ts';
import { NONCE } from './parse-ocsp-request.ts';

/** What is known of a certificate. `unknown`: we never issued it. */
export type OcspStatus =
  | { status: 'good' }
  | { status: 'unknown' }
  /** @param reason CRLReason of RFC 5280 §5.3.1; @param revokedAt seconds since the epoch */
  | { status: 'revoked'; reason: number; revokedAt: number };

export interface SingleResponse {
  /** DER of the CertID as the request has it. */
  certId: Der;
  status: OcspStatus;
}

export interface OcspResponsePlan {
  /** Names who signs; see read-ocsp-responder.ts. */
  responderKeyHash: Uint8Array;
  /** Seconds since the epoch, whole ones: when it is made, and since when it is so. */
  thisUpdate: number;
  /** Until then nobody needs to ask again. */
  nextUpdate: number;
  responses: readonly SingleResponse[];
  nonce: Uint8Array | undefined;
}

const BASIC = '1.3.6.1.5.5.7.48.1.1';
const UNSPECIFIED = 0;

/** DER of a ResponseData. */
export function writeOcspResponseData({
  responderKeyHash,
  thisUpdate,
  nextUpdate,
  responses,
  nonce,
}: OcspResponsePlan): Der {
  const times = [generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate))];
  const singles = responses.map(({ certId, status }) => sequence(certId, writeStatus(status), ...times));
  const fields = [explicit(2, octetString(responderKeyHash)), generalizedTime(thisUpdate), sequence(...singles)];
  if (nonce !== undefined) {
    const extension = sequence(oid(NONCE), octetString(octetString(nonce)));
    fields.push(explicit(1, sequence(extension)));
  }
  return sequence(...fields);
}

/** A reason that says nothing is left out. @see RFC 5280 §5.3.1 */
function writeStatus(status: OcspStatus): Der {
  if (status.status === 'good') return implicit(0, new Uint8Array());
  if (status.status === 'unknown') return implicit(2, new Uint8Array());
  const { reason, revokedAt } = status;
  const at = generalizedTime(revokedAt);
  return reason === UNSPECIFIED ? tagged(0xa1, at) : tagged(0xa1, at, explicit(0, enumerated(reason)));
}

/** DER of an OCSPResponse. @param basic BasicOCSPResponse, as it was signed */
export function writeOcspResponse(basic: Der): Der {
  return sequence(enumerated(0), explicit(0, sequence(oid(BASIC), octetString(basic))));
}
