/** The keys of an Entity Type at its `signed_jwks_uri`: a JWK Set that its entity signed. @see OIDFED §5.2.1 */
import { FederationError } from '../errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { parseSignedJwt, verifySignature } from '../signature.ts';
import { DEFAULT_LEEWAY_SECONDS, isNumericDate, type NumericDate } from '../time.ts';
import { checkPublicJwks } from './key-parameters.ts';

export interface SignedJwkSetOptions extends IdentifierOptions {
  /** Whose metadata names the `signed_jwks_uri`. */
  entity: EntityIdentifier;
  /** Its Federation Entity Keys: no other key may sign. */
  federationKeys: JwkSet;
  now: NumericDate;
}

export interface SignedJwkSet {
  /** Public keys of the Entity Type, of any kind. */
  keys: JsonObject[];
  /** Claims that have no place in it and do no harm. */
  superfluous: string[];
}

/** They belong to requests and tokens. */
const SUPERFLUOUS = ['aud', 'nbf', 'jti'] as const;

/**
 * Verifies what a `signed_jwks_uri` serves: `typ` `jwk-set+jwt`, `iss` = `sub` = the entity, not ahead and not expired,
 * public keys, signed with one of its Federation Entity Keys. Historical keys documents have another dialect: no `sub`.
 * @throws FederationError any reason of parseSignedJwt and verifySignature; entity_identifier_invalid, issuer_mismatch,
 *   subject_mismatch, claim_invalid, statement_not_yet_valid, statement_expired, metadata_invalid, jwk_private
 */
export async function validateSignedJwkSet(jwt: unknown, options: SignedJwkSetOptions): Promise<SignedJwkSet> {
  const { entity, federationKeys, now } = options;
  const signed = parseSignedJwt(jwt, TYP.jwkSet);
  const { claims } = signed;
  if (parseEntityIdentifier(claims['iss'], options, '/iss') !== entity) {
    throw new FederationError('issuer_mismatch', `must be ${entity}, whose keys they are`, '/iss', SECTION);
  }
  if (parseEntityIdentifier(claims['sub'], options, '/sub') !== entity) {
    throw new FederationError('subject_mismatch', `must be ${entity}, whose keys they are`, '/sub', SECTION);
  }
  checkTimes(claims, now);
  const keys = checkPublicJwks({ keys: claims['keys'] ?? null }, '');
  await verifySignature(signed, federationKeys);
  return { keys, superfluous: SUPERFLUOUS.filter((claim) => Object.hasOwn(claims, claim)) };
}

const SECTION = { section: '5.2.1' } as const;

/** Both are optional. */
function checkTimes({ iat, exp }: JsonObject, now: NumericDate): void {
  for (const [claim, time] of Object.entries({ iat, exp })) {
    if (time === undefined || isNumericDate(time)) continue;
    throw new FederationError('claim_invalid', 'must be a time in seconds since 1970', `/${claim}`, SECTION);
  }
  if (typeof iat === 'number' && iat - DEFAULT_LEEWAY_SECONDS > now) {
    throw new FederationError('statement_not_yet_valid', 'was signed in the future', '/iat', SECTION);
  }
  if (typeof exp === 'number' && exp + DEFAULT_LEEWAY_SECONDS <= now) {
    throw new FederationError('statement_expired', 'has expired', '/exp', SECTION);
  }
}
