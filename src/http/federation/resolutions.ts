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
import type { OnRequest } from '../../resolver/counting-client.ts';
import type { Explanation, Resolution, ResolveOutcome, ResolveRequest } from '../../resolver/resolution.ts';
import {
  type Evaluate,
  type Evaluation,
  named,
  type ResolutionCache,
  type ResolutionKey,
} from '../../resolver/resolution-cache.ts';
import type { Resolver } from '../../resolver/resolver.ts';
import { dependencyKey } from '../../resolver/statement-source.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import { type EvaluationLimits, type EvaluationSlot, EvaluationSlots } from './evaluation-slots.ts';
import { KnownQuestions } from './known-questions.ts';
import { type Account, type NewRequests, RequestBudget } from './request-budget.ts';

export interface ResolutionRequest {
  /** Id of the authority that answers: authorities share no resolutions. */
  scope: string;
  subject: EntityIdentifier;
  /** In the order of the caller's preference. */
  trustAnchors: TrustAnchors;
}

/** A request made ready for being looked up again and again, as long as the same keys are pinned. */
export interface PreparedRequest extends ResolutionRequest {
  /** Where its answer may lie, the preferred place first. */
  readonly lookups: readonly { key: ResolutionKey; renew: Evaluate }[];
}

export interface ResolutionsOptions {
  resolver: Resolver;
  cache: ResolutionCache;
  directory: AuthorityDirectory;
  clock: Clock;
  /** Requests for what was never obtained. */
  newRequests?: Partial<NewRequests>;
  /** Evaluations at a time. */
  evaluations?: Partial<EvaluationLimits>;
}

/** For whom something is evaluated. Our own chains are for nobody, and have no limits but those of a resolution. */
export interface Payer {
  account: Account;
  /** Undefined for what is counted elsewhere. */
  slot?: EvaluationSlot;
}

/** Changes after which any chain may read differently: who is trusted, with which keys, under which policies. */
const FAR_REACHING: ReadonlySet<string> = new Set([
  ...['authority', 'authority_key', 'trust_anchor'],
  ...['trust_mark_type', 'held_trust_mark'],
]);

/** Evaluations of others that one question waits for; the one after that is its own if it is to be had at all. */
const MAX_FOREIGN_REFUSALS = 3;

export class Resolutions {
  readonly #options: ResolutionsOptions;
  readonly #slots: EvaluationSlots;
  /** Evaluations under way that no budget may end, by name, each as often as it is waited for. */
  readonly #underWay = new Map<string, number>();
  readonly #budget: RequestBudget;
  /** Refusals for want of requests, each with the budget that it was for. */
  readonly #cutShortBy = new WeakMap<ResolveOutcome, OnRequest>();

  /** Questions that were answered from what is kept here. */
  readonly knownQuestions: KnownQuestions;

  constructor(options: ResolutionsOptions) {
    this.#options = options;
    this.knownQuestions = new KnownQuestions(options.directory);
    this.#budget = new RequestBudget(options.clock, options.newRequests);
    this.#slots = new EvaluationSlots(options.evaluations);
  }

  /** Works out once what each {@link peek} needs. */
  prepare(request: ResolutionRequest): PreparedRequest {
    const { scope, subject, trustAnchors } = request;
    const [first] = trustAnchors;
    const preferred =
      first !== undefined && trustAnchors.size > 1 ? [{ ...request, trustAnchors: new Map([first]) }] : [];
    const lookups = [...preferred, request].map((asked) => {
      const key = named(keyOf(asked));
      return { key, renew: (evaluation: Evaluation) => this.#renew(asked, evaluation) };
    });
    return { scope, subject, trustAnchors, lookups };
  }

  /**
   * What was resolved already towards the first of the Trust Anchors that a valid chain leads to, as far as that is
   * known; renewed behind the scenes before it ends.
   */
  peek(request: ResolutionRequest | PreparedRequest): Resolution | undefined {
    const { lookups } = 'lookups' in request ? request : this.prepare(request);
    for (const { key, renew } of lookups) {
      const outcome = this.#options.cache.peek(key, renew);
      if (outcome !== undefined && 'resolved' in outcome) return outcome.resolved;
    }
    return undefined;
  }

  /** What was resolved already towards any of the Trust Anchors; one before it may never have been tried. */
  peekAny({ scope, subject, trustAnchors }: ResolutionRequest): Resolution | undefined {
    for (const trustAnchor of trustAnchors) {
      const resolution = this.peek({ scope, subject, trustAnchors: new Map([trustAnchor]) });
      if (resolution !== undefined) return resolution;
    }
    return undefined;
  }

  /** Whether such a question is being answered already, whatever that takes: then the same asked again costs no request. */
  isUnderWay(request: ResolutionRequest): boolean {
    return this.#underWay.has(questionOf(request));
  }

  /**
   * Resolves towards the first Trust Anchor that a valid chain leads to, for all of them within one budget; else what
   * failed. Equal questions share an evaluation; but where the budget of whoever began it ended it, those who wait for
   * it get one of their own.
   * @param onRequest a budget besides that of the payer
   * @throws TryAgainLater resolution_unavailable when too much is evaluated
   */
  async resolve(request: ResolutionRequest, payer?: Payer, onRequest?: OnRequest): Promise<ResolveOutcome> {
    if (onRequest !== undefined) return await this.#resolve(request, payer, onRequest);
    const question = questionOf(request);
    this.#underWay.set(question, (this.#underWay.get(question) ?? 0) + 1);
    try {
      return await this.#resolve(request, payer);
    } finally {
      const left = (this.#underWay.get(question) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(question);
      else this.#underWay.set(question, left);
    }
  }

  async #resolve(request: ResolutionRequest, payer?: Payer, own?: OnRequest): Promise<ResolveOutcome> {
    const ready = this.peek(request);
    if (ready !== undefined) return { resolved: ready };
    const key = keyOf(request);
    const onRequest = this.#onRequestOf(payer, own);
    for (let refusals = 0; ; refusals++) {
      const outcome = await this.#options.cache.get(key, (evaluation) =>
        this.#evaluateFor(request, evaluation, payer?.slot, onRequest),
      );
      const cutShortBy = this.#cutShortBy.get(outcome);
      const isForeign = cutShortBy !== undefined && cutShortBy !== onRequest;
      if (!isForeign || refusals === MAX_FOREIGN_REFUSALS) return outcome;
    }
  }

  #onRequestOf(payer: Payer | undefined, own: OnRequest | undefined): OnRequest | undefined {
    if (payer === undefined) return own;
    const ofPayer = this.#budget.begin(payer.account);
    return (url, isKnown) => {
      ofPayer(url, isKnown);
      own?.(url, isKnown);
    };
  }

  async #renew(request: ResolutionRequest, evaluation: Evaluation): Promise<ResolveOutcome> {
    const { subject } = request;
    const isVouchedFor = this.#isVouchedForHere(request);
    const onRequest = this.#budget.begin({ kind: 'anybody', subject, isVouchedFor });
    const slot: EvaluationSlot = { kind: isVouchedFor ? 'vouched-for renewal' : 'renewal' };
    return await this.#evaluateFor(request, evaluation, slot, onRequest);
  }

  async #evaluateFor(
    { scope, subject, trustAnchors }: ResolutionRequest,
    evaluation: Evaluation,
    slot: EvaluationSlot | undefined,
    onRequest: OnRequest | undefined,
  ): Promise<ResolveOutcome> {
    const asked = { subject, trustAnchors, isTrustAnchorOrderBinding: true };
    const outcome = await this.#within(slot, () => this.#evaluateWithin(onRequest, { ...asked, ...evaluation }));
    const isAlso = trustAnchors.size > 1 && 'resolved' in outcome && !evaluation.signal.aborted;
    if (isAlso) this.#keepForOne({ scope, subject, trustAnchors }, outcome.resolved, evaluation.signal);
    return outcome;
  }

  /** What was found out for several Trust Anchors answers the question for the chosen one, too. */
  #keepForOne({ scope, subject, trustAnchors }: ResolutionRequest, resolved: Resolution, signal: AbortSignal): void {
    const { trustAnchor, dependencies } = resolved;
    const jwks = trustAnchors.get(trustAnchor);
    if (jwks === undefined) return;
    const known: Evaluate = async ({ onDependency }) => {
      for (const key of dependencies) onDependency(key);
      if (!signal.aborted) return { resolved };
      throw new FederationError('resolution_unavailable', 'something changed meanwhile; try again');
    };
    const key = keyOf({ scope, subject, trustAnchors: new Map([[trustAnchor, jwks]]) });
    // Nobody waits for it: what changed in the meantime is not kept.
    this.#options.cache.get(key, known).catch(() => undefined);
  }

  /** A refusal for want of requests says nothing of the subject: it is not kept, as if no request had been sent. */
  async #evaluateWithin(onRequest: OnRequest | undefined, request: ResolveRequest): Promise<ResolveOutcome> {
    if (onRequest === undefined) return await this.#evaluate(request);
    let isCutShort = false;
    const outcome = await this.#evaluate({
      ...request,
      onRequest: (url, isKnown) => {
        try {
          onRequest(url, isKnown);
        } catch (error) {
          isCutShort = true;
          throw error;
        }
      },
    });
    if (!isCutShort || 'resolved' in outcome) return outcome;
    const refused = { ...outcome, requests: 0 };
    this.#cutShortBy.set(refused, onRequest);
    return refused;
  }

  #isVouchedForHere(request: ResolutionRequest): boolean {
    const { cache, directory } = this.#options;
    const kept = cache.peek(keyOf(request));
    const [, statement] = kept !== undefined && 'resolved' in kept ? kept.resolved.trustChain : [];
    return statement !== undefined && directory.find(String(decodeJwt(statement).claims['iss'])) !== undefined;
  }

  async #evaluate(request: ResolveRequest): Promise<ResolveOutcome> {
    return this.#alive(await this.#options.resolver.resolve(request), request);
  }

  /**
   * Resolves anew, towards the first Trust Anchor that a valid chain leads to, and gives all that was seen; nothing of it
   * is kept.
   * @param caller whom it is for
   * @throws TryAgainLater resolution_unavailable
   */
  async explain({ subject, trustAnchors }: Omit<ResolutionRequest, 'scope'>, caller: string): Promise<Explanation> {
    const onRequest = this.#budget.begin({ kind: 'named', caller });
    return await this.#within({ kind: 'asked for', caller }, () =>
      this.#options.resolver.explain({ subject, trustAnchors, isTrustAnchorOrderBinding: true, onRequest }),
    );
  }

  /** Each evaluation may cost many requests. */
  async #within<T>(slot: EvaluationSlot | undefined, evaluate: () => Promise<T>): Promise<T> {
    return slot === undefined ? await evaluate() : await this.#slots.within(slot, evaluate);
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

/** Tells questions apart, by the order of the Trust Anchors too. */
export function questionOf({ scope, subject, trustAnchors }: ResolutionRequest): string {
  return JSON.stringify([scope, subject, ...trustAnchors.keys()]);
}

/**
 * The keys that are pinned for each Trust Anchor are part of it: what was judged by others answers nothing, even if its
 * evaluation ends after the change. Identifiers and digests have no spaces.
 */
function keyOf({ scope, subject, trustAnchors }: ResolutionRequest): ResolutionKey {
  const [trustAnchor = subject, ...others] = trustAnchors.keys();
  const digests = [...trustAnchors.values()].map(digestOf);
  return { scope: [scope, ...others, ...digests].join(' '), subject, trustAnchor };
}

function digestOf(pinned: JwkSet): string {
  const known = knownDigests.get(pinned);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(JSON.stringify(pinned.keys)).digest('base64url');
  knownDigests.set(pinned, digest);
  return digest;
}

/** Key sets are not changed, only replaced. */
const knownDigests = new WeakMap<JwkSet, string>();
