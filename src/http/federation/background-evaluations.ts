/**
 * Evaluations that nobody who proved a name asked for: few at a time, within a budget of requests to others, and what
 * did not resolve is remembered for a while. @see OIDFED §18.1
 */
import { FederationError, type WireCode } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import { BoundedMap } from '../../issuance/bounded-map.ts';
import type { OnRequest } from '../../resolver/counting-client.ts';
import type { ResolveOutcome } from '../../resolver/resolution.ts';
import { verdictOf } from '../../resolver/verdict.ts';
import { isOutage } from '../outage.ts';
import { questionOf, type ResolutionRequest } from './resolutions.ts';
import { TokenBucket } from './token-bucket.ts';

export interface BackgroundBudget {
  /** Requests to others in any minute, all such evaluations together. */
  requestsPerMinute: number;
  /** Requests of one evaluation; at most half of those a minute. */
  requestsPerEvaluation: number;
  /** Evaluations at a time. */
  concurrency: number;
  /** Evaluations that wait; beyond them a question is dropped. */
  maxQueued: number;
  /** How long a subject that did not resolve is not tried again, in seconds. */
  negativeSeconds: number;
  /** The same where the network or a server may have been at fault. */
  unavailableSeconds: number;
  /** Memory for subjects that did not resolve, in bytes. */
  negativeBytes: number;
}

export const DEFAULT_BACKGROUND_BUDGET: Readonly<BackgroundBudget> = {
  requestsPerMinute: 600,
  requestsPerEvaluation: 128,
  concurrency: 16,
  maxQueued: 1_000,
  negativeSeconds: 300,
  unavailableSeconds: 30,
  negativeBytes: 8 * 1024 * 1024,
};

export interface BackgroundEvaluationsOptions {
  /** Evaluates; `onRequest` is called before each request to others and may throw to refuse it. */
  resolve: (request: ResolutionRequest, onRequest: OnRequest) => Promise<ResolveOutcome>;
  clock: Clock;
  /** Hears of failures that are no verdict about the subject. */
  onError: (error: unknown) => void;
  budget?: Partial<BackgroundBudget>;
}

/** What is known of a subject that did not resolve. */
export interface KnownRefusal {
  wire: WireCode;
  /** Until then it is not tried again. */
  until: NumericDate;
}

/** Half of a minute's requests may be sent at once, and the other half in the course of it: so never more than all. */
const BURST_SHARE = 0.5;
/** Requests that are set aside at a time for an evaluation; most need no more, and few that are slow tie up little. */
const PORTION = 16;
/** How soon it is looked again whether the budget allows to go on. */
const POLL_MS = 250;
/** What an entry costs beyond its name. */
const ENTRY_BYTES = 200;

export class BackgroundEvaluations implements Disposable {
  readonly #options: BackgroundEvaluationsOptions;
  readonly #budget: BackgroundBudget;
  readonly #requests: TokenBucket;
  readonly #refusals: BoundedMap<KnownRefusal>;
  /** What waits, by name, the first first. */
  readonly #queue = new Map<string, ResolutionRequest>();
  /** Those of what waits, so that no subject takes the places of others by naming other Trust Anchors. */
  readonly #waitingSubjects = new Set<string>();
  /** How many run under each name: in another order of Trust Anchors, the same runs once more. */
  readonly #running = new Map<string, number>();
  #runs = 0;
  /** What is evaluated at once, for others who ask the same in the same order. */
  readonly #atOnce = new Map<string, Promise<ResolveOutcome>>();
  /** Requests that an evaluation needs to begin. */
  readonly #portion: number;
  #poll: NodeJS.Timeout | undefined;
  /** Grows when what was found out before may no longer be true. */
  #generation = 0;
  #isStopped = false;

  constructor(options: BackgroundEvaluationsOptions) {
    const budget = { ...DEFAULT_BACKGROUND_BUDGET, ...options.budget };
    const capacity = Math.floor(budget.requestsPerMinute * BURST_SHARE);
    this.#options = options;
    this.#budget = { ...budget, requestsPerEvaluation: Math.min(budget.requestsPerEvaluation, capacity) };
    this.#portion = Math.min(PORTION, this.#budget.requestsPerEvaluation);
    this.#requests = new TokenBucket({ capacity, fillSeconds: 60 }, options.clock.now());
    this.#refusals = new BoundedMap(budget.negativeBytes, (_, name) => 2 * name.length + ENTRY_BYTES);
  }

  /** Evaluations that wait and that run. */
  get underWay(): number {
    return this.#queue.size + this.#runs;
  }

  /** Another one after {@link forget}: what an evaluation found out that began before is not to be remembered. */
  get generation(): number {
    return this.#generation;
  }

  /** The verdict on a subject that resolved towards none of the Trust Anchors a short while ago. */
  knownRefusal(request: ResolutionRequest): KnownRefusal | undefined {
    const together = this.#knownRefusal(request);
    if (together !== undefined || request.trustAnchors.size === 1) return together;
    const known: KnownRefusal[] = [];
    for (const single of singles(request)) {
      const refusal = this.#knownRefusal(single);
      if (refusal === undefined) return undefined;
      known.push(refusal);
    }
    return combined(known);
  }

  #knownRefusal(request: ResolutionRequest): KnownRefusal | undefined {
    const refusal = this.#refusals.get(request.scope, nameOf(request));
    return refusal !== undefined && refusal.until > this.#options.clock.now() ? refusal : undefined;
  }

  /** Whether it waits or runs already, so that asking for it again changes nothing. */
  isUnderWay(request: ResolutionRequest): boolean {
    const name = nameOf(request);
    return this.#queue.has(name) || this.#running.has(name);
  }

  /**
   * Queues what is neither known nor under way: a subject once, for all Trust Anchors of the question together. The same
   * subject with other Trust Anchors waits until it is asked for again.
   * @returns false when there was no room for it
   */
  enqueue(request: ResolutionRequest): boolean {
    if (this.isUnderWay(request) || this.knownRefusal(request) !== undefined) return true;
    if (this.#queue.size >= this.#budget.maxQueued) return false;
    if (this.#waitingSubjects.has(subjectOf(request))) return true;
    this.#waitingSubjects.add(subjectOf(request));
    this.#queue.set(nameOf(request), request);
    this.#startNext();
    return true;
  }

  /** Evaluates at once, or not at all when the budget does not allow it now. Who asks the same meanwhile joins. */
  async evaluate(request: ResolutionRequest): Promise<ResolveOutcome | undefined> {
    const question = questionOf(request);
    const underWay = this.#atOnce.get(question);
    if (underWay !== undefined) return await underWay;
    if (this.#runs >= this.#budget.concurrency || !this.#takePortion()) return undefined;
    const outcome = this.#run(request).finally(() => this.#atOnce.delete(question));
    this.#atOnce.set(question, outcome);
    return await outcome;
  }

  /** After how many seconds an evaluation that the budget did not allow may be allowed. */
  secondsUntilAllowed(): number {
    return this.#requests.secondsUntil(this.#portion, this.#options.clock.now());
  }

  /** Remembers what became of an evaluation that another made. */
  remember(request: ResolutionRequest, outcome: ResolveOutcome): void {
    if ('resolved' in outcome) return;
    const wire = verdictOf(outcome.attempts);
    const { negativeSeconds, unavailableSeconds } = this.#budget;
    const seconds = wire === 'temporarily_unavailable' ? unavailableSeconds : negativeSeconds;
    const until = this.#options.clock.now() + seconds;
    this.#refusals.set(request.scope, nameOf(request), { wire, until });
  }

  /** To be called when something changed by which any subject may resolve now, or with other keys. What waits goes on. */
  forget(): void {
    this.#generation++;
    this.#refusals.clear();
  }

  /** Starts nothing more; what runs ends with the client that it sends requests with. */
  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#queue.clear();
    this.#waitingSubjects.clear();
    clearTimeout(this.#poll);
  }

  #startNext(): void {
    clearTimeout(this.#poll);
    for (const [name, request] of this.#queue) {
      if (this.#isStopped || this.#runs >= this.#budget.concurrency) return;
      if (!this.#takePortion()) {
        this.#poll = setTimeout(() => this.#startNext(), POLL_MS);
        this.#poll.unref();
        return;
      }
      this.#queue.delete(name);
      this.#waitingSubjects.delete(subjectOf(request));
      this.#run(request).catch((error: unknown) => this.#failed(error));
    }
  }

  #takePortion(): boolean {
    return this.#requests.take(this.#portion, this.#options.clock.now());
  }

  /** Begins with one portion that was taken, and takes more as it needs them. What it did not use comes back. */
  async #run(request: ResolutionRequest): Promise<ResolveOutcome> {
    const name = nameOf(request);
    const generation = this.#generation;
    let left = this.#portion;
    let sent = 0;
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1);
    this.#runs++;
    try {
      const outcome = await this.#options.resolve(request, () => {
        if (sent === this.#budget.requestsPerEvaluation) throw exhausted('this evaluation needs too many requests');
        if (left === 0 && !this.#takePortion()) throw exhausted('too many requests are sent for anonymous callers');
        left = (left === 0 ? this.#portion : left) - 1;
        sent++;
      });
      if (generation === this.#generation) this.remember(request, outcome);
      return outcome;
    } finally {
      const others = (this.#running.get(name) ?? 1) - 1;
      if (others === 0) this.#running.delete(name);
      else this.#running.set(name, others);
      this.#runs--;
      this.#requests.giveBack(left);
      left = 0;
      this.#startNext();
    }
  }

  /** Neither too many evaluations nor an outage is a bug; whoever asks again queues it again. */
  #failed(error: unknown): void {
    if (error instanceof FederationError || isOutage(error) || this.#isStopped) return;
    this.#options.onError(error);
  }
}

/** One request for each Trust Anchor. */
function singles({ scope, subject, trustAnchors }: ResolutionRequest): ResolutionRequest[] {
  return [...trustAnchors].map((entry) => ({ scope, subject, trustAnchors: new Map([entry]) }));
}

function subjectOf({ scope, subject }: ResolutionRequest): string {
  return `${scope} ${subject}`;
}

/** In whichever order the Trust Anchors are asked for: that no chain leads to any of them is the same refusal. */
function nameOf({ scope, subject, trustAnchors }: ResolutionRequest): string {
  return JSON.stringify([scope, subject, ...[...trustAnchors.keys()].sort()] satisfies [string, ...EntityIdentifier[]]);
}

/** As `verdictOf` has it: that it does not exist counts most, then that the network may be at fault. */
function combined(refusals: readonly KnownRefusal[]): KnownRefusal | undefined {
  const [first] = refusals;
  if (first === undefined) return undefined;
  const wires = refusals.map(({ wire }) => wire);
  const decisive = (['not_found', 'temporarily_unavailable', 'invalid_trust_chain'] as const).find((wire) =>
    wires.includes(wire),
  );
  return { wire: decisive ?? first.wire, until: Math.min(...refusals.map(({ until }) => until)) };
}

function exhausted(message: string): FederationError {
  return new FederationError('budget_exhausted', `${message}; try again later`);
}
