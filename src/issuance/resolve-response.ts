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
  return {
    iss: authority.entityIdentifier,
    sub: resolved.subject,
    metadata: Object.fromEntries(types),
    trust_chain: [...resolved.trustChain],
  };
}
