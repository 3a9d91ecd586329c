/** Which Trust Anchors an authority resolves towards. @see OIDFED §8.3 */
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import { isPublishedKey } from '../../registry/authorities/authority.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';

interface Known {
  /** The authorities that there were; the directory replaces them all at any change. */
  all: readonly ServedAuthority[];
  anchors: TrustAnchors;
}

const known = new WeakMap<ServedAuthority, Known>();

/** Itself, those pinned for it, and superiors of its own among ours. The same object until the directory changes. */
export function servedTrustAnchors(served: ServedAuthority, directory: AuthorityDirectory): TrustAnchors {
  const { all } = directory;
  const before = known.get(served);
  if (before?.all === all) return before.anchors;
  const anchors = collectAnchors(served, directory);
  known.set(served, { all, anchors });
  return anchors;
}

function collectAnchors(served: ServedAuthority, directory: AuthorityDirectory): TrustAnchors {
  const anchors = new Map<EntityIdentifier, JwkSet>();
  for (const { entityIdentifier, jwks } of served.trustAnchors) {
    anchors.set(entityIdentifier as EntityIdentifier, jwks as JwkSet);
  }
  const pending = [served];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { entityIdentifier, authorityHints } = next.authority;
    if (anchors.has(entityIdentifier as EntityIdentifier)) continue;
    anchors.set(entityIdentifier as EntityIdentifier, ownKeys(next));
    pending.push(...authorityHints.map((hint) => directory.find(hint)).filter((superior) => superior !== undefined));
  }
  return anchors;
}

function ownKeys({ keys }: ServedAuthority): JwkSet {
  return { keys: keys.filter(isPublishedKey).map((key) => key.publicJwk) } as JwkSet;
}
