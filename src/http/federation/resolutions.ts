/** Resolutions of all authorities: made when asked for, kept while the registry and the statements let them hold. */
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import type { ResolutionCache } from '../../resolver/resolution-cache.ts';
import type { Resolution, ResolveOutcome, Resolver } from '../../resolver/resolver.ts';
import { dependencyKey } from '../../resolver/statement-source.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';

export interface ResolutionRequest {
  /** Id of the authority that answers: authorities share no resolutions. */
  scope: string;
  subject: EntityIdentifier;
  /** In the order of the caller's preference. */
  trustAnchors: TrustAnchors;
}

export interface ResolutionsOptions {
  resolver: Resolver;
  cache: ResolutionCache;
  directory: AuthorityDirectory;
}

/** Changes after which any chain may read differently: who is trusted, with which keys, under which policies. */
const FAR_REACHING: ReadonlySet<string> = new Set(['authority', 'authority_key', 'trust_anchor']);

export class Resolutions {
  readonly #options: ResolutionsOptions;

  constructor(options: ResolutionsOptions) {
    this.#options = options;
  }

  /** What was resolved already towards one of the Trust Anchors. */
  peek({ scope, subject, trustAnchors }: ResolutionRequest): Resolution | undefined {
    for (const trustAnchor of trustAnchors.keys()) {
      const outcome = this.#options.cache.peek({ scope, subject, trustAnchor });
      if (outcome !== undefined && 'resolved' in outcome) return outcome.resolved;
    }
    return undefined;
  }

  /** Resolves towards the first Trust Anchor that a valid chain leads to; else what failed for each. */
  async resolve({ scope, subject, trustAnchors }: ResolutionRequest): Promise<ResolveOutcome> {
    const { cache, resolver } = this.#options;
    const refused: Extract<ResolveOutcome, { attempts: unknown }> = { attempts: [], requests: 0 };
    for (const [trustAnchor, jwks] of trustAnchors) {
      const outcome = await cache.get({ scope, subject, trustAnchor }, (evaluation) =>
        resolver.resolve({ subject, trustAnchors: new Map([[trustAnchor, jwks]]), ...evaluation }),
      );
      if ('resolved' in outcome) return outcome;
      refused.attempts.push(...outcome.attempts);
      refused.requests += outcome.requests;
    }
    return refused;
  }

  /** Drops what rests on anything that changed, before the change's seq is served. */
  follow(changes: readonly RegistryChange[], affected: readonly AffectedSubject[]): void {
    const { cache, directory } = this.#options;
    if (changes.some((change) => FAR_REACHING.has(change.subjectKind))) {
      cache.clear();
      return;
    }
    const keys = affected.flatMap(({ authorityId, entityIdentifier }) => {
      const authority = directory.get(authorityId)?.authority.entityIdentifier;
      return authority === undefined
        ? []
        : [dependencyKey(authority as EntityIdentifier, entityIdentifier as EntityIdentifier)];
    });
    cache.invalidate(keys);
  }
}
