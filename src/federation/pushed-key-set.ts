/**
 * Key sets that a subordinate pushes to its superior: a signed JWK Set in the dialect of `signed_jwks_uri`, addressed to
 * the superior. How the superior takes it is Holdfast's own. @see OIDFED §5.2.1, §11.2
 */
import { FederationError } from './errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from './identifiers.ts';
import { checkJwkSet, type JwkSet, MAX_KEYS } from './jwk-set.ts';
import { publishedKeyComplaint } from './lint/published-key.ts';
import { TYP } from './media-types.ts';
import { parseSignedJwt, type SignedJwt } from './signature.ts';
import { DEFAULT_LEEWAY_SECONDS, isNumericDate, type NumericDate } from './time.ts';

/** A set that is right in itself; whether its subject signed it is not known yet. */
export interface PushedKeySet {
  subject: EntityIdentifier;
  iat: NumericDate;
  jwks: JwkSet;
  signed: SignedJwt;
}

export interface PushedKeySetOptions extends IdentifierOptions {
  /** Entity Identifier of the superior that it is for. */
  audience: string;
  now: NumericDate;
}

/**
 * Reads a set and judges all but its signature: `typ` `jwk-set+jwt`, `iss` = `sub`, `aud` the superior alone, `iat` not
 * ahead, `exp` if there is one ahead, and keys that may be registered. The refusal quotes no key.
 * @throws FederationError key_set_invalid
 */
export function parsePushedKeySet(jwt: string, options: PushedKeySetOptions): PushedKeySet {
  const signed = refusingAs(() => parseSignedJwt(jwt, TYP.jwkSet));
  const { iss, sub, aud, iat, exp, keys } = signed.claims;
  const subject = refusingAs(() => parseEntityIdentifier(iss, options, '/iss'));
  if (sub !== subject) throw invalid('its sub is its iss, the Entity Identifier of whose keys they are', '/sub');
  const [audience, ...others] = Array.isArray(aud) ? aud : [aud];
  if (audience !== options.audience || others.length > 0) {
    throw invalid(`its aud is ${options.audience} alone, the Entity Identifier of the superior`, '/aud');
  }
  if (!isNumericDate(iat) || iat - DEFAULT_LEEWAY_SECONDS > options.now) {
    throw invalid('its iat is the time at which it was signed', '/iat');
  }
  if (exp !== undefined && !(isNumericDate(exp) && exp + DEFAULT_LEEWAY_SECONDS > options.now)) {
    throw invalid('its exp is ahead, if it has one', '/exp');
  }
  const jwks = refusingAs(() => checkJwkSet({ keys: keys ?? null }, ''));
  const complaints = jwks.keys.map(publishedKeyComplaint).filter((text) => text !== undefined);
  if (jwks.keys.length > MAX_KEYS) complaints.push(`more than ${MAX_KEYS} keys`);
  if (complaints.length > 0) throw invalid(complaints.join('; '), '/keys');
  return { subject, iat, jwks: { keys: jwks.keys }, signed };
}

function invalid(message: string, at: string, cause?: unknown): FederationError {
  return new FederationError('key_set_invalid', `the key set is refused: ${message}`, at, { cause });
}

function refusingAs<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof FederationError ? invalid(error.message, error.at, error) : error;
  }
}
