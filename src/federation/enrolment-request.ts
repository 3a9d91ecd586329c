/**
 * Requests to be enrolled, a document of ours: an entity asks a superior to vouch for it, signed with one of its
 * Federation Entity Keys. @see RFC 7519
 */
import { FederationError } from './errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from './identifiers.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { JwkSet } from './jwk-set.ts';
import { TYP } from './media-types.ts';
import { parseSignedJwt, type SignedJwt, verifySignature } from './signature.ts';
import { DEFAULT_LEEWAY_SECONDS, isNumericDate, type NumericDate } from './time.ts';

/** Longest time for which a request may be good, in seconds. */
export const MAX_ENROLMENT_REQUEST_SECONDS = 300;
const MAX_JTI_LENGTH = 512;

/** A request that is right in itself; whether its entity signed it is not known yet. */
export interface EnrolmentRequestJwt {
  entity: EntityIdentifier;
  jti: string;
  /** What is asked for; its members are for the superior to judge. */
  enrolment: JsonObject;
  signed: SignedJwt;
}

export interface EnrolmentRequestOptions extends IdentifierOptions {
  /** Entity Identifier of the superior that is asked. */
  audience: string;
  now: NumericDate;
}

/**
 * Reads a request and judges all but its signature: `typ` `enrolment-request+jwt`, `iss` = `sub` = the entity, `aud` the
 * superior alone, `iat` not ahead, `exp` at most five minutes after it, `jti`.
 * @throws FederationError enrolment_request_invalid
 */
export function parseEnrolmentRequest(jwt: string, options: EnrolmentRequestOptions): EnrolmentRequestJwt {
  const signed = refusingAs('enrolment_request_invalid', () => parseSignedJwt(jwt, TYP.enrolmentRequest));
  const { iss, sub, aud, iat, exp, jti, enrolment = {} } = signed.claims;
  const entity = refusingAs('enrolment_request_invalid', () => parseEntityIdentifier(iss, options, '/iss'));
  if (sub !== entity) throw invalid('its sub is its iss, the Entity Identifier of who is to be enrolled', '/sub');
  const [audience, ...others] = Array.isArray(aud) ? aud : [aud];
  if (audience !== options.audience || others.length > 0) {
    throw invalid(`its aud is ${options.audience} alone, the Entity Identifier of who is asked`, '/aud');
  }
  if (!isNumericDate(iat) || iat - DEFAULT_LEEWAY_SECONDS > options.now) {
    throw invalid('its iat is the time at which it was signed', '/iat');
  }
  if (!isNumericDate(exp) || exp + DEFAULT_LEEWAY_SECONDS <= options.now) throw invalid('its exp is ahead', '/exp');
  if (exp - iat > MAX_ENROLMENT_REQUEST_SECONDS) {
    throw invalid(`it is good for ${MAX_ENROLMENT_REQUEST_SECONDS} s at most`, '/exp');
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
    throw invalid(`its jti is a string of at most ${MAX_JTI_LENGTH} characters`, '/jti');
  }
  if (!isJsonObject(enrolment)) throw invalid('its enrolment is an object, if there is one', '/enrolment');
  return { entity, jti, enrolment, signed };
}

/**
 * Verifies that one of the keys that the entity publishes signed the request.
 * @throws FederationError enrolment_request_not_authorised
 */
export async function verifyEnrolmentRequest({ signed }: EnrolmentRequestJwt, published: JwkSet): Promise<void> {
  try {
    await verifySignature(signed, published);
  } catch (error) {
    throw asReason('enrolment_request_not_authorised', error);
  }
}

function invalid(message: string, at: string): FederationError {
  return new FederationError('enrolment_request_invalid', `the request is refused: ${message}`, at);
}

type RequestReason = 'enrolment_request_invalid' | 'enrolment_request_not_authorised';

function refusingAs<T>(reason: RequestReason, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asReason(reason, error);
  }
}

function asReason(reason: RequestReason, error: unknown): unknown {
  if (!(error instanceof FederationError)) return error;
  return new FederationError(reason, `the request is refused: ${error.message}`, error.at, { cause: error });
}
