/** Trust Marks: signed statements of an issuer that an entity meets what a Trust Mark type stands for. @see OIDFED §7, §7.1 */
import { FederationError, pointer } from '../errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { type SignedJwt, verifySignature } from '../signature.ts';
import { checkLinkClaim, checkTextClaim, underSectionAsync } from './claim-checks.ts';
import { checkTypedClaims, parseSignedClaims, type TypedClaims } from './typed-claims.ts';

export interface TrustMarkClaims extends TypedClaims {
  /** The Trust Mark issuer. */
  iss: EntityIdentifier;
  /** The entity that bears the mark. */
  sub: EntityIdentifier;
  logo_uri?: string;
  /** The owner's permission to issue marks of this type, a compact JWT. */
  delegation?: string;
}

/** A Trust Mark whose shape is right; what it says is its sender's word until it was validated. */
export type TrustMark = SignedJwt<TrustMarkClaims>;

export interface TrustMarkOptions extends IdentifierOptions {
  /**
   * Values of `typ` that a framework prescribes instead of `trust-mark+jwt`, compared exactly; none by default. A value
   * that belongs to another kind of JWT of the standard never counts.
   */
  furtherTyps?: readonly string[];
}

const STANDARD_TYPS: ReadonlySet<string> = new Set(Object.values(TYP));

/**
 * Parses a Trust Mark: `typ`, `alg`, `kid`, and the shape of every claim that the standard defines. Neither times nor
 * signature are looked at.
 * @throws FederationError any reason of parseSignedJwt; claim_missing, claim_invalid, entity_identifier_invalid
 * @see OIDFED §7.1, §7.3
 */
export function parseTrustMark(jwt: unknown, options: TrustMarkOptions = {}): TrustMark {
  return parseSignedClaims(jwt, {
    typ: TYP.trustMark,
    furtherTyps: options.furtherTyps?.filter((typ) => !STANDARD_TYPS.has(typ)),
    jwtSection: '7.3',
    claimsSection: '7.1',
    check: (claims) => checkTrustMarkClaims(claims, options),
  });
}

/** @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid @see OIDFED §7.1 */
export function checkTrustMarkClaims(claims: JsonObject, options: IdentifierOptions): TrustMarkClaims {
  const checked: TrustMarkClaims = checkTypedClaims(claims, options);
  checkLinkClaim(claims, 'logo_uri');
  if (Object.hasOwn(claims, 'delegation')) checkTextClaim(claims, 'delegation');
  return checked;
}

/**
 * Checks that a mark belongs to the entity that shows it, and is of the type that it is shown as.
 * @param shown the entity whose Entity Configuration carries the mark, and the type written beside the mark there
 * @throws FederationError subject_mismatch, trust_mark_type_mismatch
 * @see OIDFED §7.3, §3.2
 */
export function checkBearer(mark: TrustMark, shown: { bearer: EntityIdentifier; trustMarkType: string }): void {
  if (mark.claims.trust_mark_type !== shown.trustMarkType) {
    const message = `is shown as a mark of the type ${shown.trustMarkType}`;
    throw new FederationError('trust_mark_type_mismatch', message, pointer('trust_mark_type'));
  }
  if (mark.claims.sub !== shown.bearer) {
    const message = `the mark is about another entity; it must be ${shown.bearer}, character by character`;
    throw new FederationError('subject_mismatch', message, '/sub', { section: '7.3' });
  }
}

/**
 * Verifies a mark with the one Federation Entity Key of its issuer that its `kid` names.
 * @throws FederationError key_not_found, key_unsuitable, signature_invalid
 * @see OIDFED §7.3
 */
export async function verifyTrustMarkSignature(mark: TrustMark, issuerKeys: JwkSet): Promise<void> {
  await underSectionAsync('7.3', () => verifySignature(mark, issuerKeys));
}
