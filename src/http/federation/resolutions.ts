/** Resolutions of all authorities: made when asked for, kept while the registry and the statements let them hold. */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { Clock } from '../../federation/time.ts';
import { attemptOf } from '../../federation/trust-chain/attempt.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import type { ResolutionCache } from '../../resolver/resolution-cache.ts';
import type { Resolution, ResolveOutcome, ResolveRequest, Resolver } from '../../resolver/resolver.ts';
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
  clock: Clock;
}

/** Changes after which any chain may read differently: who is trusted, with which keys, under which policies. */
const FAR_REACHING: ReadonlySet<string> = new Set(['authority', 'authority_key', 'trust_anchor']);

/** Evaluations under way at a time. */
const MAX_EVALUATIONS = 64;

export class Resolutions {
  readonly #options: ResolutionsOptions;
  #evaluations = 0;

  constructor(options: ResolutionsOptions) {
    this.#options = options;
  }

  /** What was resolved already towards one of the Trust Anchors. */
  peek({ scope, subject, trustAnchors }: ResolutionRequest): Resolution | undefined {
    for (const [trustAnchor, jwks] of trustAnchors) {
      const outcome = this.#options.cache.peek({ scope: scopeOf(scope, jwks), subject, trustAnchor });
      if (outcome !== undefined && 'resolved' in outcome) return outcome.resolved;
    }
    return undefined;
  }

  /** Resolves towards the first Trust Anchor that a valid chain leads to; else what failed for each. */
  async resolve({ scope, subject, trustAnchors }: ResolutionRequest): Promise<ResolveOutcome> {
    const { cache } = this.#options;
    const refused: Extract<ResolveOutcome, { attempts: unknown }> = { attempts: [], requests: 0 };
    for (const [trustAnchor, jwks] of trustAnchors) {
      const key = { scope: scopeOf(scope, jwks), subject, trustAnchor };
      const outcome = await cache.get(key, (evaluation) =>
        this.#evaluate({ subject, trustAnchors: new Map([[trustAnchor, jwks]]), ...evaluation }),
      );
      if ('resolved' in outcome) return outcome;
      refused.attempts.push(...outcome.attempts);
      refused.requests += outcome.requests;
    }
    return refused;
  }

  /** Evaluates unless enough of it is under way: each may cost many requests, and anybody may ask for one. */
  async #evaluate(request: ResolveRequest): Promise<ResolveOutcome> {
    if (this.#evaluations >= MAX_EVALUATIONS) {
      throw new FederationError('resolution_unavailable', 'too many resolutions are under way; try again later');
    }
    this.#evaluations++;
    try {
      return this.#alive(await this.#options.resolver.resolve(request), request);
    } finally {
      this.#evaluations--;
    }
  }

  /** A chain that only the leeway lets pass has no life that an answer could have; refused, it is not tried at once. */
  #alive(outcome: ResolveOutcome, { subject }: ResolveRequest): ResolveOutcome {
    if (!('resolved' in outcome) || outcome.resolved.expiresAt > this.#options.clock.now()) return outcome;
    const error = new FederationError('statement_expired', 'a statement of the only valid chain has expired');
    return { attempts: [attemptOf([subject], error)], requests: 1 };
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

/** What was judged by keys that are no longer pinned answers nothing, even if its evaluation ends after the change. */
function scopeOf(scope: string, pinned: JwkSet): string {
  return `${scope} ${JSON.stringify(pinned.keys)}`;
}
