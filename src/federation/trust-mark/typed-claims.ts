/** What Trust Marks, delegations and status answers share as signed JWTs, and the claims that two of them share. @see OIDFED §7.1, §7.2.1 */
import type { EntityIdentifier, IdentifierOptions } from '../identifiers.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Typ } from '../media-types.ts';
import { parseSignedJwt, type SignedJwt } from '../signature.ts';
import type { NumericDate } from '../time.ts';
import { checkIdentifierClaim, checkLinkClaim, checkTextClaim, checkTimeClaims, underSection } from './claim-checks.ts';

/** What the standard demands of one kind of JWT, and in which sections. */
export interface ClaimsShape<Claims> {
  typ: Typ;
  /** Values of `typ` that are accepted as well. */
  furtherTyps?: readonly string[] | undefined;
  jwtSection: string;
  claimsSection: string;
  /** Judges the shape of each claim. */
  check: (claims: JsonObject) => Claims;
}

/**
 * Parses one of them: what it says is its sender's word until it was validated.
 * @throws FederationError any reason of parseSignedJwt, and those of `check`
 */
export function parseSignedClaims<Claims>(jwt: unknown, shape: ClaimsShape<Claims>): SignedJwt<Claims> {
  const { typ, furtherTyps, jwtSection, claimsSection, check } = shape;
  const { claims, ...signed } = underSection(jwtSection, () => parseSignedJwt(jwt, typ, furtherTyps));
  return { ...signed, claims: underSection(claimsSection, () => check(claims)) };
}

/** What a Trust Mark and the delegation to its issuer both say. */
export interface TypedClaims {
  iss: EntityIdentifier;
  sub: EntityIdentifier;
  trust_mark_type: string;
  iat: NumericDate;
  /** Without it there is no end. */
  exp?: NumericDate;
  ref?: string;
  [claim: string]: JsonValue | undefined;
}

/** @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid */
export function checkTypedClaims(claims: JsonObject, options: IdentifierOptions): TypedClaims {
  checkIdentifierClaim(claims, 'iss', options);
  checkIdentifierClaim(claims, 'sub', options);
  checkTextClaim(claims, 'trust_mark_type');
  checkTimeClaims(claims);
  checkLinkClaim(claims, 'ref');
  return claims as TypedClaims;
}
