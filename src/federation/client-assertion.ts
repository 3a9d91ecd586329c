/** Client assertions: how a caller of a federation endpoint proves which entity it is. @see OIDFED §8.8, RFC 7523 §3 */
import { FederationError } from './errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from './identifiers.ts';
import type { JsonObject } from './json.ts';
import type { JwkSet } from './jwk-set.ts';
import { ALGORITHM_NAMES, decodeJwt, type JoseHeader, verifySignature } from './signature.ts';
import { DEFAULT_LEEWAY_SECONDS, isNumericDate, type NumericDate } from './time.ts';

export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Longest time that an assertion may still be good for: so long its `jti` has to be remembered. */
export const MAX_ASSERTION_SECONDS = 600;
const MAX_JTI_LENGTH = 512;

/** None is demanded for assertions; any other would make them something else that the caller signed. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'client-authentication+jwt']);

/** An assertion that is right in itself; whether the caller signed it is not known yet. */
export interface ClientAssertion {
  /** Who it says the caller is. */
  caller: EntityIdentifier;
  jti: string;
  jwt: string;
  header: JoseHeader;
}

export interface ClientAssertionOptions extends IdentifierOptions {
  /** Entity Identifier of the endpoint's owner, or the URL of a token endpoint. */
  audience: string;
  /** Longest time that it may still be good for; MAX_ASSERTION_SECONDS at most, which is what it is without. */
  maxSeconds?: number;
  now: NumericDate;
}

/**
 * Reads an assertion and judges all but its signature: `iss` = `sub` = the caller, `aud` the endpoint's owner alone,
 * `exp` ahead but not far, `jti`.
 * @throws FederationError client_assertion_invalid
 */
export function parseClientAssertion(jwt: string, options: ClientAssertionOptions): ClientAssertion {
  const decoded = refusingAs(() => decodeJwt(jwt));
  const header = checkedHeader(decoded.header);
  const { iss, sub, aud, jti } = decoded.claims;
  const caller = refusingAs(() => parseEntityIdentifier(iss, options, '/iss'));
  if (sub !== caller) throw invalid('its sub is its iss, the Entity Identifier of the caller', '/sub');
  const [audience, ...others] = Array.isArray(aud) ? aud : [aud];
  if (audience !== options.audience || others.length > 0) {
    throw invalid(`its aud is ${options.audience} alone: who is asked`, '/aud');
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
    throw invalid(`its jti is a string of at most ${MAX_JTI_LENGTH} characters`, '/jti');
  }
  checkTimes(decoded.claims, options.now, Math.min(options.maxSeconds ?? MAX_ASSERTION_SECONDS, MAX_ASSERTION_SECONDS));
  return { caller, jti, jwt: decoded.jwt, header };
}

/**
 * Verifies that one of the caller's Federation Entity Keys signed the assertion.
 * @throws FederationError client_assertion_invalid
 */
export async function verifyClientAssertion(assertion: ClientAssertion, federationEntityKeys: JwkSet): Promise<void> {
  try {
    await verifySignature(assertion, federationEntityKeys);
  } catch (error) {
    throw asInvalid(error);
  }
}

function checkedHeader(header: JsonObject): JoseHeader {
  const { typ, alg, kid } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (!TYPES.has(type)) throw invalid('its typ is that of something else', 'header/typ');
  const algorithm = ALGORITHM_NAMES.find((name) => name === alg);
  if (algorithm === undefined) throw invalid(`its alg is one of ${ALGORITHM_NAMES.join(', ')}`, 'header/alg');
  if (typeof kid !== 'string' || kid === '') throw invalid('its kid names a key', 'header/kid');
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) {
    throw invalid('no header extension is understood', 'header/crit');
  }
  return { ...header, typ: String(typ), alg: algorithm, kid };
}

function checkTimes({ exp, iat, nbf }: JsonObject, now: NumericDate, maxSeconds: number): void {
  if (!isNumericDate(exp)) throw invalid('it has an exp', '/exp');
  if (exp + DEFAULT_LEEWAY_SECONDS <= now) throw invalid('it has expired', '/exp');
  if (exp - DEFAULT_LEEWAY_SECONDS > now + maxSeconds) {
    throw invalid(`it is good for ${maxSeconds} s at most`, '/exp');
  }
  for (const [claim, value] of Object.entries({ iat, nbf })) {
    if (value === undefined) continue;
    const isPast = isNumericDate(value) && value - DEFAULT_LEEWAY_SECONDS <= now;
    if (!isPast) throw invalid(`its ${claim} is a time that has come`, `/${claim}`);
  }
}

function invalid(message: string, at: string): FederationError {
  return new FederationError('client_assertion_invalid', `the client assertion is refused: ${message}`, at);
}

function refusingAs<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asInvalid(error);
  }
}

function asInvalid(error: unknown): unknown {
  return error instanceof FederationError ? invalid(error.message, error.at) : error;
}
