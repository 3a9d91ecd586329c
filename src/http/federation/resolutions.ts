/** Resolutions of all authorities: made when asked for, kept while the registry and the statements let them hold. */
import { createHash } from 'node:crypto';
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import { decodeJwt } from '../../federation/signature.ts';
import type { Clock } from '../../federation/time.ts';
import { attemptOf } from '../../federation/trust-chain/attempt.ts';
import type { TrustAnchors } from '../../federation/trust-chain/trust-chain.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import { type Evaluate, named, type ResolutionCache, type ResolutionKey } from '../../resolver/resolution-cache.ts';
import type { Explanation, Resolution, ResolveOutcome, ResolveRequest, Resolver } from '../../resolver/resolver.ts';
import { dependencyKey } from '../../resolver/statement-source.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import { KnownQuestions } from './known-questions.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ResolutionRequest {
  /** Id of the authority that answers: authorities share no resolutions. */
  scope: string;
  subject: EntityIdentifier;
  /** In the order of the caller's preference. */
  trustAnchors: TrustAnchors;
}

/** A request made ready for being looked up again and again, as long as the same keys are pinned. */
export interface PreparedRequest extends ResolutionRequest {
  /** One for each Trust Anchor, in their order. */
  readonly lookups: readonly { key: ResolutionKey; renew: Evaluate }[];
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

/** Requests for renewals: at most twice as many in any minute, half of them at once. */
const RENEWALS = { capacity: 600, fillSeconds: 60 } as const;

export class Resolutions {
  readonly #options: ResolutionsOptions;
  #evaluations = 0;
  /** Evaluations under way by name, each as often as it is waited for. */
  readonly #underWay = new Map<string, number>();

  /** Requests for renewals. */
  readonly #renewals: TokenBucket;

  /** Questions that were answered from what is kept here. */
  readonly knownQuestions: KnownQuestions;

  constructor(options: ResolutionsOptions) {
    this.#options = options;
    this.knownQuestions = new KnownQuestions(options.directory);
    this.#renewals = new TokenBucket(RENEWALS, options.clock.now());
  }

  /** Works out once what each {@link peek} needs. */
  prepare({ scope, subject, trustAnchors }: ResolutionRequest): PreparedRequest {
    const lookups = [...trustAnchors].map(([trustAnchor, jwks]) => {
      const key = named({ scope: scopeOf(scope, jwks), subject, trustAnchor });
      const renew: Evaluate = (evaluation) =>
        this.#renew(key, { subject, trustAnchors: new Map([[trustAnchor, jwks]]), ...evaluation });
      return { key, renew };
    });
    return { scope, subject, trustAnchors, lookups };
  }

  /** What was resolved already towards one of the Trust Anchors; renewed behind the scenes before it ends. */
  peek(request: ResolutionRequest | PreparedRequest): Resolution | undefined {
    const { lookups } = 'lookups' in request ? request : this.prepare(request);
    for (const { key, renew } of lookups) {
      const outcome = this.#options.cache.peek(key, renew);
      if (outcome !== undefined && 'resolved' in outcome) return outcome.resolved;
    }
    return undefined;
  }

  /** Whether such a question is being answered already: then the same asked again costs no request. */
  isUnderWay(request: ResolutionRequest): boolean {
    return this.#underWay.has(questionOf(request));
  }

  /**
   * Resolves towards the first Trust Anchor that a valid chain leads to; else what failed for each.
   * @param onRequest called before each request to others that is sent for this call; what it throws refuses the request
   */
  async resolve(request: ResolutionRequest, onRequest?: () => void): Promise<ResolveOutcome> {
    const question = questionOf(request);
    this.#underWay.set(question, (this.#underWay.get(question) ?? 0) + 1);
    try {
      return await this.#resolve(request, onRequest);
    } finally {
      const left = (this.#underWay.get(question) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(question);
      else this.#underWay.set(question, left);
    }
  }

  async #resolve(
    { scope, subject, trustAnchors }: ResolutionRequest,
    onRequest: (() => void) | undefined,
  ): Promise<ResolveOutcome> {
    const { cache } = this.#options;
    const refused: Extract<ResolveOutcome, { attempts: unknown }> = { attempts: [], requests: 0 };
    for (const [trustAnchor, jwks] of trustAnchors) {
      const key = { scope: scopeOf(scope, jwks), subject, trustAnchor };
      const outcome = await cache.get(key, (evaluation) =>
        this.#evaluateWithin(onRequest, { subject, trustAnchors: new Map([[trustAnchor, jwks]]), ...evaluation }),
      );
      if ('resolved' in outcome) return outcome;
      refused.attempts.push(...outcome.attempts);
      refused.requests += outcome.requests;
    }
    return refused;
  }

  /**
   * Anybody may cause a renewal, as often as the statements of others are short-lived: so it has a budget, unless an
   * authority of ours vouches for the subject.
   */
  async #renew(key: ResolutionKey, request: ResolveRequest): Promise<ResolveOutcome> {
    if (this.#isVouchedForHere(key)) return await this.#evaluate(request);
    const onRequest = () => {
      if (this.#renewals.take(1, this.#options.clock.now())) return;
      throw new FederationError('budget_exhausted', 'too many requests are sent for renewals; try again later');
    };
    return await this.#evaluateWithin(onRequest, request);
  }

  /** A refusal for want of requests says nothing of the subject: it is not kept, as if no request had been sent. */
  async #evaluateWithin(onRequest: (() => void) | undefined, request: ResolveRequest): Promise<ResolveOutcome> {
    if (onRequest === undefined) return await this.#evaluate(request);
    let isCutShort = false;
    const outcome = await this.#evaluate({
      ...request,
      onRequest: () => {
        try {
          onRequest();
        } catch (error) {
          isCutShort = true;
          throw error;
        }
      },
    });
    return isCutShort && !('resolved' in outcome) ? { ...outcome, requests: 0 } : outcome;
  }

  #isVouchedForHere(key: ResolutionKey): boolean {
    const { cache, directory } = this.#options;
    const kept = cache.peek(key);
    const [, statement] = kept !== undefined && 'resolved' in kept ? kept.resolved.trustChain : [];
    return statement !== undefined && directory.find(String(decodeJwt(statement).claims['iss'])) !== undefined;
  }

  async #evaluate(request: ResolveRequest): Promise<ResolveOutcome> {
    return await this.#withinLimit(async () => this.#alive(await this.#options.resolver.resolve(request), request));
  }

  /**
   * Resolves anew, towards any of the Trust Anchors, and gives all that was seen; nothing of it is kept.
   * @throws FederationError resolution_unavailable
   */
  async explain({ subject, trustAnchors }: Omit<ResolutionRequest, 'scope'>): Promise<Explanation> {
    return await this.#withinLimit(() => this.#options.resolver.explain({ subject, trustAnchors }));
  }

  /** Evaluates unless enough of it is under way: each may cost many requests, and anybody may ask for one. */
  async #withinLimit<T>(evaluate: () => Promise<T>): Promise<T> {
    if (this.#evaluations >= MAX_EVALUATIONS) {
      throw new FederationError('resolution_unavailable', 'too many resolutions are under way; try again later');
    }
    this.#evaluations++;
    try {
      return await evaluate();
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

function questionOf({ scope, subject, trustAnchors }: ResolutionRequest): string {
  return JSON.stringify([scope, subject, ...trustAnchors.keys()]);
}

/** What was judged by keys that are no longer pinned answers nothing, even if its evaluation ends after the change. */
function scopeOf(scope: string, pinned: JwkSet): string {
  const known = digests.get(pinned);
  if (known !== undefined) return `${scope} ${known}`;
  const digest = createHash('sha256').update(JSON.stringify(pinned.keys)).digest('base64url');
  digests.set(pinned, digest);
  return `${scope} ${digest}`;
}

/** Key sets are not changed, only replaced. */
const digests = new WeakMap<JwkSet, string>();
