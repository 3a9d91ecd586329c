/**
 * Which Trust Marks a federation recognises: types, issuers and owners as its Trust Anchor lists them.
 * @see OIDFED §3.1.2, §17.5
 */
import { FederationError, pointer } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import type { JwkSet } from '../jwk-set.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import type { TrustMark } from './trust-mark.ts';

/** Whom a Trust Mark type belongs to, with the keys that the Trust Anchor states for it. */
export interface TrustMarkOwner {
  sub: EntityIdentifier;
  jwks: JwkSet;
}

/**
 * Decides whether the federation recognises a mark: its type is a key of `trust_mark_issuers`, and its issuer is in
 * the array there, or the array is empty: then anybody may issue. What anybody but the Trust Anchor lists, or the
 * Trust Anchor lists in its metadata, does not count.
 * @param trustAnchor the Entity Configuration of the Trust Anchor that the chain in question ends at
 * @throws FederationError trust_mark_type_unrecognised, trust_mark_issuer_not_trusted
 * @see OIDFED §17.5
 */
export function checkRecognised(mark: TrustMark, trustAnchor: EntityStatement): void {
  const { iss, trust_mark_type: type } = mark.claims;
  const issuers = entryOf(trustAnchor.claims.trust_mark_issuers, type);
  const anchor = trustAnchor.claims.sub;
  if (issuers === undefined) {
    const message = `${anchor} lists no such type in its trust_mark_issuers`;
    throw new FederationError('trust_mark_type_unrecognised', message, pointer('trust_mark_type'));
  }
  if (issuers.length > 0 && !issuers.includes(iss)) {
    const message = `${anchor} does not list ${iss} as an issuer of this type`;
    throw new FederationError('trust_mark_issuer_not_trusted', message, pointer('iss'));
  }
}

/** The owner of a type, if the Trust Anchor lists one: then every mark of the type needs a delegation. @see OIDFED §7.2 */
export function ownerOf(trustMarkType: string, trustAnchor: EntityStatement): TrustMarkOwner | undefined {
  return entryOf(trustAnchor.claims.trust_mark_owners, trustMarkType);
}

/** Types are any strings, `constructor` too. */
function entryOf<T>(record: Record<string, T> | undefined, type: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, type) ? record[type] : undefined;
}
