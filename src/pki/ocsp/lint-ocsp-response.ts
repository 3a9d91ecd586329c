/** Reads anew what a responder is about to sign: it answers what was asked, for no longer than its signer may. */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, parseDer, TAG } from '../der.ts';
import { type Der, octetString, oid, sequence } from '../der-writer.ts';
import { parseTime } from '../path/validity-time.ts';
import { type LintedDer, lintedDer, type X509Algorithm } from '../signed/linted-der.ts';
import { type CertId, NONCE } from './parse-ocsp-request.ts';
import type { OcspResponder } from './read-ocsp-responder.ts';

export interface OcspExpectations {
  /** Of the key that signs. */
  alg: X509Algorithm;
  responder: OcspResponder;
  /** As they were asked. */
  certIds: readonly Pick<CertId, 'der'>[];
  nonce: Uint8Array | undefined;
  /** Longest time that an answer is good for, in seconds. */
  maxSeconds: number;
}

const [GOOD, REVOKED, UNKNOWN] = [0x80, 0xa1, 0x82];
const [RESPONDER_KEY, EXTENSIONS] = [0xa2, 0xa1];
const ENUMERATED = 0x0a;
/** CRLReason; 7 is none. @see RFC 5280 §5.3.1 */
const MAX_REASON = 10;

/**
 * @param responseData DER of a ResponseData
 * @throws CertificateError
 */
export function lintOcspResponse(responseData: Der, expected: OcspExpectations): LintedDer {
  const { alg, responder, certIds, nonce } = expected;
  const [responderId, producedAt, responses, extensions, ...rest] = parseDer(responseData).children;
  const keyHash = responderId?.tag === RESPONDER_KEY ? responderId.children[0]?.contents : undefined;
  if (keyHash === undefined || !isSame(keyHash, responder.keyHash))
    throw refused('names another responder than signs it');
  const madeAt = momentOf(producedAt);
  if (madeAt < responder.notBefore || madeAt > responder.notAfter) {
    throw refused('is not made while the certificate of its responder is valid');
  }
  if (responses?.children.length !== certIds.length) throw refused('is about other certificates than were asked for');
  for (const [index, response] of responses.children.entries()) {
    requireResponse(response, certIds[index]?.der, madeAt, expected);
  }
  const wanted = nonce && sequence(sequence(oid(NONCE), octetString(octetString(nonce))));
  const found = extensions?.tag === EXTENSIONS ? extensions.contents : undefined;
  const isEcho = wanted === undefined ? extensions === undefined : found !== undefined && isSame(found, wanted);
  if (!isEcho || rest.length > 0) throw refused('has another nonce, or something else at its end');
  return lintedDer({ kind: 'ocsp-response', alg, toBeSigned: responseData, trailer: responder.certificates });
}

function requireResponse(
  { children: [certId, status, thisUpdate, nextUpdate, ...rest] }: DerValue,
  asked: Uint8Array | undefined,
  madeAt: number,
  { responder, maxSeconds }: OcspExpectations,
): void {
  if (certId === undefined || asked === undefined || !isSame(certId.bytes, asked)) {
    throw refused('is about another certificate than was asked for');
  }
  requireStatus(status, madeAt);
  if (momentOf(thisUpdate) !== madeAt) throw refused('says how it was at another time');
  const until = nextUpdate?.tag === TAG.context0 ? momentOf(nextUpdate.children[0]) : Number.NaN;
  const isTimely = until > madeAt && until <= madeAt + maxSeconds && until <= responder.notAfter;
  if (!isTimely || rest.length > 0) throw refused('is good for no time, or for longer than it may');
}

function requireStatus(status: DerValue | undefined, madeAt: number): void {
  if (status?.tag === GOOD || status?.tag === UNKNOWN) {
    if (status.contents.length === 0) return;
  } else if (status?.tag === REVOKED) {
    const [revokedAt, reason, ...rest] = status.children;
    if (momentOf(revokedAt) <= madeAt && isReason(reason) && rest.length === 0) return;
  }
  throw refused('has a status that is none');
}

function isReason(tagged: DerValue | undefined): boolean {
  if (tagged === undefined) return true;
  const [reason] = tagged.children;
  const value = reason?.contents[0] ?? 0;
  const isNumber = reason?.tag === ENUMERATED && reason.contents.length === 1 && tagged.tag === TAG.context0;
  return isNumber && value > 0 && value <= MAX_REASON && value !== 7;
}

function momentOf(value: DerValue | undefined): number {
  if (value?.tag === TAG.generalizedTime) return parseTime(value);
  throw refused('has a time that is none');
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `the answer is not signed: it ${what}`);
}
