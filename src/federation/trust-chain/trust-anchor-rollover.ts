/** What a Trust Anchor's own configuration tells about keys that were pinned for it. @see OIDFED §11.2, §11.3 */
import { FederationError } from '../errors.ts';
import { isSamePublicKey, type JwkSet } from '../jwk-set.ts';
import { verifySignature } from '../signature.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';

export type TrustAnchorKeyNews =
  /** It lists the keys that we believe it by, and no others. */
  | { kind: 'unchanged' }
  /** Signed with a key that we believe it by, it lists these: from now on they count, and no others. */
  | { kind: 'learned'; jwks: JwkSet }
  /** Signed with a key that we do not know: nothing is learned, and somebody has to look (§11.3). */
  | { kind: 'mismatch'; error: FederationError };

/**
 * Compares the keys that a Trust Anchor is believed by with its Entity Configuration. New keys are learned only from a
 * configuration that one of the believed keys signed.
 */
export async function compareTrustAnchorKeys(
  believed: JwkSet,
  configuration: EntityStatement,
): Promise<TrustAnchorKeyNews> {
  try {
    await verifySignature(configuration, believed);
  } catch (error) {
    if (error instanceof FederationError) return { kind: 'mismatch', error };
    throw error;
  }
  const { jwks } = configuration.claims;
  return isSameSet(believed, jwks) ? { kind: 'unchanged' } : { kind: 'learned', jwks };
}

function isSameSet({ keys }: JwkSet, other: JwkSet): boolean {
  const isIn = (set: JwkSet) => (key: JwkSet['keys'][number]) =>
    set.keys.some((candidate) => candidate.kid === key.kid && isSamePublicKey(candidate, key));
  return keys.length === other.keys.length && keys.every(isIn(other));
}
