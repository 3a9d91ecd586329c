/** Delegations: the owner of a Trust Mark type permits an issuer to give out marks of that type. @see OIDFED §7.2 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { type SignedJwt, verifySignature } from '../signature.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import { checkTimes, type JudgingTime, underSection, underSectionAsync } from './claim-checks.ts';
import { ownerOf } from './recognition.ts';
import type { TrustMark } from './trust-mark.ts';
import { checkTypedClaims, parseSignedClaims, type TypedClaims } from './typed-claims.ts';

export interface TrustMarkDelegationClaims extends TypedClaims {
  /** The owner of the type. */
  iss: EntityIdentifier;
  /** The issuer that may give out marks. */
  sub: EntityIdentifier;
}

export type TrustMarkDelegation = SignedJwt<TrustMarkDelegationClaims>;

/**
 * Parses a delegation: `typ`, `alg`, `kid`, and the shape of its claims.
 * @throws FederationError any reason of parseSignedJwt; claim_missing, claim_invalid, entity_identifier_invalid
 * @see OIDFED §7.2.1
 */
export function parseTrustMarkDelegation(jwt: unknown, options: IdentifierOptions = {}): TrustMarkDelegation {
  return parseSignedClaims<TrustMarkDelegationClaims>(jwt, {
    typ: TYP.trustMarkDelegation,
    jwtSection: '7.2.2',
    claimsSection: '7.2.1',
    check: (claims) => checkDelegationClaims(claims, options),
  });
}

/** @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid @see OIDFED §7.2.1 */
export function checkDelegationClaims(claims: JsonObject, options: IdentifierOptions): TrustMarkDelegationClaims {
  return checkTypedClaims(claims, options);
}

/**
 * Validates the delegation inside a mark with the owner's keys as the Trust Anchor states them; the owner itself is
 * never asked for keys. A mark of a type with an owner needs a delegation, the owner's own marks as well; a delegation
 * for a type without one cannot be verified.
 * @param trustAnchor the Entity Configuration of the Trust Anchor that the chain in question ends at
 * @returns undefined for a mark that has no delegation and needs none
 * @throws FederationError trust_mark_delegation_missing, trust_mark_owner_unknown; with a place such as
 *   `/delegation /sub` whatever is wrong with the delegation: subject_mismatch, issuer_mismatch,
 *   trust_mark_type_mismatch, trust_mark_not_yet_valid, trust_mark_expired, key_not_found, key_unsuitable,
 *   signature_invalid and the reasons of parseTrustMarkDelegation
 * @see OIDFED §7.2.2, §7.3
 */
export async function validateDelegation(
  mark: TrustMark,
  trustAnchor: EntityStatement,
  options: JudgingTime & IdentifierOptions,
): Promise<TrustMarkDelegation | undefined> {
  const { delegation: jwt, trust_mark_type: type } = mark.claims;
  const owner = ownerOf(type, trustAnchor);
  if (jwt === undefined) {
    if (owner === undefined) return undefined;
    const message = `${owner.sub} owns this type, so every mark of it needs its delegation`;
    throw new FederationError('trust_mark_delegation_missing', message, '/delegation');
  }
  if (owner === undefined) {
    const message = `${trustAnchor.claims.sub} names no owner of this type, so its delegation cannot be verified`;
    throw new FederationError('trust_mark_owner_unknown', message, '/delegation');
  }
  try {
    const delegation = parseTrustMarkDelegation(jwt, options);
    underSection('7.2.2', () => checkDelegation(delegation, mark.claims, owner.sub, options));
    await underSectionAsync('7.2.2', () => verifySignature(delegation, owner.jwks));
    return delegation;
  } catch (error) {
    throw error instanceof FederationError ? error.within('/delegation') : error;
  }
}

function checkDelegation(
  { claims }: TrustMarkDelegation,
  mark: Pick<TrustMark['claims'], 'iss' | 'trust_mark_type'>,
  owner: string,
  time: JudgingTime,
): void {
  checkDelegated(claims, mark);
  if (claims.iss !== owner) {
    throw new FederationError('issuer_mismatch', `must be the owner of the type, ${owner}`, '/iss');
  }
  checkTimes('delegation', claims, time);
}

/**
 * Checks that a delegation is for this issuer and this type.
 * @throws FederationError subject_mismatch, trust_mark_type_mismatch
 * @see OIDFED §7.2.2
 */
export function checkDelegated(
  delegation: Pick<TrustMarkDelegationClaims, 'sub' | 'trust_mark_type'>,
  mark: Pick<TrustMark['claims'], 'iss' | 'trust_mark_type'>,
): void {
  if (delegation.sub !== mark.iss) {
    throw new FederationError('subject_mismatch', `must be the issuer of the mark, ${mark.iss}`, '/sub');
  }
  if (delegation.trust_mark_type !== mark.trust_mark_type) {
    throw new FederationError('trust_mark_type_mismatch', 'differs from the type of the mark', '/trust_mark_type');
  }
}

/**
 * Validates a delegation by itself, as an issuer does before it gives out marks under it.
 * @param given the owner with the keys that the Trust Anchor states for it, the issuer and the type
 * @throws FederationError as validateDelegation does, with a place inside the delegation
 * @see OIDFED §7.2.2
 */
export async function validateOwnDelegation(
  jwt: unknown,
  given: { owner: string; ownerJwks: JwkSet; issuer: string; trustMarkType: string },
  options: JudgingTime & IdentifierOptions,
): Promise<TrustMarkDelegation> {
  const delegation = parseTrustMarkDelegation(jwt, options);
  const mark = { iss: given.issuer as EntityIdentifier, trust_mark_type: given.trustMarkType };
  underSection('7.2.2', () => checkDelegation(delegation, mark, given.owner, options));
  await underSectionAsync('7.2.2', () => verifySignature(delegation, given.ownerJwks));
  return delegation;
}
