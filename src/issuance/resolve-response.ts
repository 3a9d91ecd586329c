/** The claims of a resolve response, times aside. @see OIDFED §8.3.2 */
import type { JsonObject } from '../federation/json.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { Authority } from '../registry/authorities/authority.ts';

/** What was resolved; the resolver's result has this shape. */
export interface ResolvedEntity {
  subject: string;
  metadata: Metadata;
  /** Compact JWTs from the subject's configuration to the Trust Anchor's. */
  trustChain: readonly string[];
  /** Verified Trust Marks; the resolution expires no later than any of them. */
  trustMarks?: readonly { trust_mark_type: string; trust_mark: string }[] | undefined;
}

/** @param entityTypes types that the caller asked for; empty: all */
export function buildResolveResponse(
  authority: Authority,
  resolved: ResolvedEntity,
  entityTypes: readonly string[],
): JsonObject {
  const types = Object.entries(resolved.metadata).filter(
    ([entityType]) => entityTypes.length === 0 || entityTypes.includes(entityType),
  );
  const claims: JsonObject = {
    iss: authority.entityIdentifier,
    sub: resolved.subject,
    metadata: Object.fromEntries(types),
    trust_chain: [...resolved.trustChain],
  };
  const marks = (resolved.trustMarks ?? []).map(({ trust_mark_type, trust_mark }) => ({ trust_mark_type, trust_mark }));
  if (marks.length > 0) claims['trust_marks'] = marks;
  return claims;
}
