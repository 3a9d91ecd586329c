/** Takes care that no client assertion is used twice, at whichever node and after whatever restart. @see RFC 7523 §3, OIDFED §8.8 */
import { createHash } from 'node:crypto';
import { type ClientAssertion, MAX_ASSERTION_SECONDS } from '../../federation/client-assertion.ts';
import { FederationError } from '../../federation/errors.ts';
import { type Clock, DEFAULT_LEEWAY_SECONDS, type NumericDate } from '../../federation/time.ts';
import { isOutage } from '../outage.ts';
import { TryAgainLater } from './try-again-later.ts';

/** No assertion is good for longer, leeway on both ends included, also not at a node with another clock. */
const MEMORY_SECONDS = MAX_ASSERTION_SECONDS + 2 * DEFAULT_LEEWAY_SECONDS;

/**
 * A branch, which is all that are below one entity that a Trust Anchor vouches for, may have this share of the room that
 * all others leave, and a caller that share of what its branch leaves: so no number of them takes all of it.
 */
const BRANCH_SHARE = 1 / 25;
const CALLER_SHARE = 1 / 4;

/** A used assertion as it is remembered: by digests, whatever its caller wrote into it. */
export interface UsedAssertion {
  /** SHA-256 of the caller's Entity Identifier. */
  client: string;
  /** SHA-256 of the audience and the `jti`. */
  jti: string;
  /** From then on it may be forgotten, seconds since the epoch. */
  expiresAt: NumericDate;
}

/** Remembers used assertions for all nodes and over restarts. */
export interface UsedAssertionStore {
  /**
   * Takes note of an assertion, in one step.
   * @param now what expired by then counts as forgotten
   * @returns whether it is new
   */
  add(assertion: UsedAssertion, now: NumericDate): Promise<boolean>;
}

export interface UsedAssertionsOptions {
  clock: Clock;
  store: UsedAssertionStore;
  /** Assertions of callers that are not registered with us that this node lets in while one is remembered. */
  maxTotal?: number;
}

/** Assertions let in during one stretch of time: of all, of each branch and of each client. */
interface Period {
  begunAt: NumericDate;
  counts: Map<string, number>;
}

/** The counters of an assertion: of all, its branch and its client. */
type Counters = readonly [all: string, branch: string, client: string];

export class UsedAssertions {
  readonly #clock: Clock;
  readonly #store: UsedAssertionStore;
  readonly #maxTotal: number;
  #period: Period;

  constructor({ clock, store, maxTotal = 1_000_000 }: UsedAssertionsOptions) {
    this.#clock = clock;
    this.#store = store;
    this.#maxTotal = maxTotal;
    this.#period = { begunAt: clock.now(), counts: new Map() };
  }

  /**
   * Takes note of an assertion whose signature was verified. Those of callers registered with us have all the room that
   * they need: their quota bounds them.
   * @param branch whom the Trust Anchor vouches for above any other caller
   * @throws FederationError client_assertion_replayed
   * @throws TryAgainLater rate_limited when its caller may have no more remembered; resolution_unavailable when the
   *   database cannot say whether it is new: then it is refused
   */
  async use(
    { caller, jti }: Pick<ClientAssertion, 'caller' | 'jti'>,
    audience: string,
    branch?: string,
  ): Promise<void> {
    const now = this.#clock.now();
    const client = digestOf(caller);
    const period = this.#periodAt(now);
    const counters: Counters = ['all', `branch ${digestOf(branch ?? '')}`, `client ${client}`];
    if (branch !== undefined) this.#count(counters, period, now);
    let isNew = false;
    try {
      isNew = await this.#store.add({ client, jti: digestOf(audience, jti), expiresAt: now + MEMORY_SECONDS }, now);
    } catch (error) {
      throw isOutage(error) ? unavailable() : error;
    } finally {
      if (!isNew && branch !== undefined) discount(counters, period);
    }
    if (!isNew) {
      throw new FederationError('client_assertion_replayed', 'this client assertion was used before', '/jti');
    }
  }

  #periodAt(now: NumericDate): Period {
    if (now - this.#period.begunAt >= MEMORY_SECONDS) {
      this.#period = { begunAt: now, counts: new Map() };
    }
    return this.#period;
  }

  /** @throws TryAgainLater rate_limited */
  #count(counters: Counters, { begunAt, counts }: Period, now: NumericDate): void {
    const [all = 0, ofBranch = 0, ofClient = 0] = counters.map((name) => counts.get(name) ?? 0);
    const branchUnits = Math.floor((this.#maxTotal - (all - ofBranch)) * BRANCH_SHARE);
    const units = Math.ceil((branchUnits - (ofBranch - ofClient)) * CALLER_SHARE);
    if (ofBranch >= branchUnits || ofClient >= units) {
      const retryAfterSeconds = begunAt + MEMORY_SECONDS - now;
      const quota = { name: 'assertions', units: Math.max(0, units), windowSeconds: MEMORY_SECONDS };
      const message = 'too many client assertions were used, by you or by others below your superior; use fewer';
      throw new TryAgainLater('rate_limited', message, { retryAfterSeconds, status: 429, quota });
    }
    for (const name of counters) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

/** What turned out not to be let in leaves room for others, also where somebody repeats what a caller sent. */
function discount(counters: Counters, { counts }: Period): void {
  for (const name of counters) {
    const left = (counts.get(name) ?? 1) - 1;
    if (left === 0) counts.delete(name);
    else counts.set(name, left);
  }
}

function unavailable(): TryAgainLater {
  const message = 'client assertions cannot be checked at the moment; try again shortly';
  return new TryAgainLater('resolution_unavailable', message, { retryAfterSeconds: 1 });
}

function digestOf(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
}
