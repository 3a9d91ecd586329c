/** Trust Chains: what a valid one consists of. ES[0] is the subject's Entity Configuration. @see OIDFED §4 */
import type { EntityIdentifier } from '../identifiers.ts';
import type { JwkSet } from '../jwk-set.ts';
import type { Metadata } from '../metadata/metadata.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import type { NumericDate } from '../time.ts';

/** Trust Anchors by Entity Identifier, with the keys that were pinned for each out of band. */
export type TrustAnchors = ReadonlyMap<EntityIdentifier, JwkSet>;

/** A Trust Chain that was validated at some moment, and what follows from it. */
export interface TrustChain {
  subject: EntityIdentifier;
  trustAnchor: EntityIdentifier;
  /** ES[0] … ES[i], as received. */
  statements: EntityStatement[];
  /** Metadata of the subject after superior's metadata, constraints and policies (Resolved Metadata). */
  metadata: Metadata;
  /** The smallest `exp` of the statements: until then the chain may be used (§10.4). */
  expiresAt: NumericDate;
}

/** Longest chain that is looked at, in statements. */
export const MAX_CHAIN_LENGTH = 32;
