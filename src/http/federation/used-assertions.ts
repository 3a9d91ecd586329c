/** Takes care that no client assertion is used twice, at whichever node and after whatever restart. @see RFC 7523 §3, OIDFED §8.8 */
import { createHash } from 'node:crypto';
import { type ClientAssertion, MAX_ASSERTION_SECONDS } from '../../federation/client-assertion.ts';
import { FederationError } from '../../federation/errors.ts';
import { type Clock, DEFAULT_LEEWAY_SECONDS, type NumericDate } from '../../federation/time.ts';
import { isOutage } from '../outage.ts';
import { TryAgainLater } from './try-again-later.ts';

/** No assertion is good for longer, leeway on both ends included, also not at a node with another clock. */
const MEMORY_SECONDS = MAX_ASSERTION_SECONDS + 2 * DEFAULT_LEEWAY_SECONDS;

/** A caller may have this share of the room that all others leave: so no number of callers takes all of it. */
const CALLER_SHARE = 1 / 25;

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
  /** Assertions that this node lets in while one is remembered. */
  maxTotal?: number;
}

/** Assertions let in during one stretch of time, by client. */
interface Period {
  begunAt: NumericDate;
  total: number;
  byClient: Map<string, number>;
}

export class UsedAssertions {
  readonly #clock: Clock;
  readonly #store: UsedAssertionStore;
  readonly #maxTotal: number;
  #period: Period;

  constructor({ clock, store, maxTotal = 100_000 }: UsedAssertionsOptions) {
    this.#clock = clock;
    this.#store = store;
    this.#maxTotal = maxTotal;
    this.#period = { begunAt: clock.now(), total: 0, byClient: new Map() };
  }

  /**
   * Takes note of an assertion whose signature was verified.
   * @throws FederationError client_assertion_replayed
   * @throws TryAgainLater rate_limited when its caller may have no more remembered; resolution_unavailable when the
   *   database cannot say whether it is new: then it is refused
   */
  async use({ caller, jti }: Pick<ClientAssertion, 'caller' | 'jti'>, audience: string): Promise<void> {
    const now = this.#clock.now();
    const client = digestOf(caller);
    const period = this.#periodAt(now);
    this.#count(client, period, now);
    let isNew = false;
    try {
      isNew = await this.#store.add({ client, jti: digestOf(audience, jti), expiresAt: now + MEMORY_SECONDS }, now);
    } catch (error) {
      throw isOutage(error) ? unavailable() : error;
    } finally {
      if (!isNew) discount(client, period);
    }
    if (!isNew) {
      throw new FederationError('client_assertion_replayed', 'this client assertion was used before', '/jti');
    }
  }

  #periodAt(now: NumericDate): Period {
    if (now - this.#period.begunAt >= MEMORY_SECONDS) {
      this.#period = { begunAt: now, total: 0, byClient: new Map() };
    }
    return this.#period;
  }

  /** @throws TryAgainLater rate_limited */
  #count(client: string, period: Period, now: NumericDate): void {
    const count = period.byClient.get(client) ?? 0;
    if (count >= Math.floor((this.#maxTotal - period.total) * CALLER_SHARE)) {
      const retryAfterSeconds = period.begunAt + MEMORY_SECONDS - now;
      const message = 'too many client assertions were used';
      throw new TryAgainLater('rate_limited', message, { retryAfterSeconds, status: 429 });
    }
    period.byClient.set(client, count + 1);
    period.total++;
  }
}

/** What turned out not to be let in leaves room for others, also where somebody repeats what a caller sent. */
function discount(client: string, period: Period): void {
  const left = (period.byClient.get(client) ?? 1) - 1;
  if (left === 0) period.byClient.delete(client);
  else period.byClient.set(client, left);
  period.total--;
}

function unavailable(): TryAgainLater {
  const message = 'client assertions cannot be checked at the moment; try again shortly';
  return new TryAgainLater('resolution_unavailable', message, { retryAfterSeconds: 1 });
}

function digestOf(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
}
