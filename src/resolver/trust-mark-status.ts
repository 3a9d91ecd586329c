/** Asks Trust Mark issuers whether their marks are still active, and remembers the answers briefly. @see OIDFED §8.4 */
import { LRUCache } from 'lru-cache';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { statusEndpointOf } from '../federation/trust-mark/status-endpoint.ts';
import { validateTrustMarkStatus } from '../federation/trust-mark/status-response.ts';
import type { TrustMark } from '../federation/trust-mark/trust-mark.ts';
import type { OutboundClient } from '../outbound/outbound-client.ts';
import { untilAborted } from './until-aborted.ts';

/** How long a mark found active is not asked about again, in seconds. */
export const DEFAULT_STATUS_CACHE_SECONDS = 60;
/** How long any other answer, or none, is kept: a burst costs one request, a repair shows at once. In seconds. */
export const DEFAULT_STATUS_REFUSAL_SECONDS = 5;
export const DEFAULT_STATUS_TIMEOUT_MS = 5000;
export const DEFAULT_MAX_STATUS_CACHE_BYTES = 8 * 1024 * 1024;

/** The part of the outbound client that asks. */
export type HttpPost = Pick<OutboundClient, 'post'>;

/**
 * What one of our own authorities says about a mark that it issued, as it stands now, and until when it says so;
 * undefined when the issuer is not ours. It knows of every change that the resolution cache was told of.
 * @throws FederationError when it issued no such mark, or cannot say
 */
export type OwnTrustMarkStatus = (
  issuer: EntityIdentifier,
  trustMarkJwt: string,
) => Promise<{ status: string; activeUntil?: NumericDate } | undefined>;

export interface TrustMarkStatusClientOptions extends IdentifierOptions {
  outbound: HttpPost;
  clock: Clock;
  ownStatus?: OwnTrustMarkStatus | undefined;
  /** How long `active` is remembered, in seconds; 0 asks each time. */
  cacheSeconds?: number;
  /** How long anything else is remembered, in seconds. */
  refusalSeconds?: number;
  /** How old an answer may be when it arrives, in seconds; what it says holds for `cacheSeconds` from then on. */
  maxAgeSeconds?: number;
  /** Widens every check of time, in seconds. */
  leewaySeconds?: number;
  /** Wall clock of one request. */
  timeoutMs?: number;
  /** Approximate memory of the answers kept; the least recently used goes first. */
  maxCacheBytes?: number;
}

export interface TrustMarkStatusQuestion {
  /** A mark that holds by all that can be told without asking. */
  mark: TrustMark;
  /** The issuer's own Entity Configuration, validated: endpoint and keys come from it. */
  issuer: EntityStatement;
  /** Ends the wait of this caller; the request goes on while others wait for its answer. */
  signal?: AbortSignal | undefined;
}

interface Entry {
  /** Undefined for a mark that is active. */
  refusal?: FederationError;
  /** From then on it is not served. */
  endsAt: NumericDate;
}

/** A request under way. */
interface Flight {
  readonly outcome: Promise<Entry>;
  readonly abandoned: AbortController;
  waiting: number;
}

/**
 * Asks wherever the issuer offers a status endpoint, also about marks that expire: only there a revocation shows before
 * the mark's end, and the answer serves everybody who asks within the next minute. Where none is offered, the other
 * checks decide alone. An answer other than `active`, or none, refuses the mark.
 */
export class TrustMarkStatusClient {
  readonly #options: TrustMarkStatusClientOptions;
  readonly #entries: LRUCache<string, Entry>;
  readonly #underWay = new Map<string, Flight>();

  constructor(options: TrustMarkStatusClientOptions) {
    this.#options = options;
    this.#entries = new LRUCache({
      maxSize: options.maxCacheBytes ?? DEFAULT_MAX_STATUS_CACHE_BYTES,
      sizeCalculation: (_entry, key) => OVERHEAD_BYTES + key.length,
    });
  }

  /** Approximate memory of the answers kept. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /**
   * Makes sure that a mark of an authority of ours is active, without a request; nothing of it is remembered here.
   * @returns until when, unless the registry changes; undefined if the issuer is not ours
   * @throws FederationError trust_mark_status_not_active, and whatever keeps the answer from us
   */
  async confirmOwn({ claims, jwt }: TrustMark): Promise<{ activeUntil?: NumericDate } | undefined> {
    const own = await this.#options.ownStatus?.(claims.iss, jwt);
    if (own === undefined || own.status === 'active') return own;
    const message = `its issuer says that the mark is "${own.status}", not "active"`;
    throw new FederationError('trust_mark_status_not_active', message, '/status');
  }

  /**
   * Makes sure that a mark is active.
   * @returns until when that is believed without asking again, seconds since the epoch; undefined if the issuer has no
   *   endpoint that anybody may ask
   * @throws FederationError trust_mark_status_not_active and whatever else is wrong with the answer or keeps it from
   *   us; the signal's reason if that aborts first
   */
  async confirm({ mark, issuer, signal }: TrustMarkStatusQuestion): Promise<NumericDate | undefined> {
    const endpoint = statusEndpointOf(issuer);
    if (endpoint === undefined) return undefined;
    signal?.throwIfAborted();
    const key = keyOf(endpoint, issuer, mark);
    const flight = (): Flight => this.#underWay.get(key) ?? this.#depart(key, endpoint, { mark, issuer });
    const { refusal, endsAt } = this.#fresh(key) ?? (await this.#join(flight(), key, signal));
    if (refusal !== undefined) throw refusal;
    return endsAt;
  }

  /** Whether the answer about this mark was `active` when it was asked for last, as far as that is remembered. */
  hasConfirmed({ mark, issuer }: TrustMarkStatusQuestion): boolean {
    const endpoint = statusEndpointOf(issuer);
    const entry = endpoint === undefined ? undefined : this.#entries.get(keyOf(endpoint, issuer, mark));
    return entry !== undefined && entry.refusal === undefined;
  }

  async #join(flight: Flight, key: string, signal: AbortSignal | undefined): Promise<Entry> {
    flight.waiting++;
    try {
      return await untilAborted(signal, flight.outcome);
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) {
        if (this.#underWay.get(key) === flight) this.#underWay.delete(key);
        flight.abandoned.abort();
      }
    }
  }

  #depart(key: string, endpoint: string, question: TrustMarkStatusQuestion): Flight {
    const abandoned = new AbortController();
    const outcome = this.#ask(endpoint, { ...question, signal: abandoned.signal }).then(
      () => this.#keep(key),
      (error: unknown) => {
        if (error instanceof FederationError) return this.#keep(key, error);
        throw error;
      },
    );
    outcome.catch(() => undefined);
    const flight: Flight = { outcome, abandoned, waiting: 0 };
    this.#underWay.set(key, flight);
    return flight;
  }

  async #ask(endpoint: string, { mark, issuer, signal }: TrustMarkStatusQuestion): Promise<void> {
    const jwt = await this.#request(endpoint, mark, signal);
    const { clock, allowHttp, leewaySeconds, maxAgeSeconds } = this.#options;
    const now = clock.now();
    const issuerKeys = issuer.claims.jwks;
    await validateTrustMarkStatus(jwt, { mark, issuerKeys, now, allowHttp, leewaySeconds, maxAgeSeconds });
  }

  async #request(endpoint: string, mark: TrustMark, signal: AbortSignal | undefined): Promise<string> {
    const { status, contentType, body } = await this.#post(endpoint, mark, signal);
    const { host } = new URL(endpoint);
    if (status === 404) {
      const message = `${host} does not know this Trust Mark (404)`;
      throw new FederationError('trust_mark_status_not_active', message);
    }
    if (status === 429 || status >= 500) {
      throw new FederationError('server_unavailable', `${host} answered with status ${status}; try again later`);
    }
    if (status !== 200) throw new FederationError('http_status_unexpected', `${host} answered with status ${status}`);
    if (contentType !== MEDIA_TYPE.trustMarkStatusResponse) {
      const instead = `${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.trustMarkStatusResponse}`;
      throw new FederationError('content_type_unexpected', `${host} answered with ${instead}`, '', { section: '8.4' });
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  }

  /** Tries once more when a connection failed, as one does that the other side closed while it was idle (§10.5). */
  async #post(
    endpoint: string,
    mark: TrustMark,
    signal: AbortSignal | undefined,
  ): Promise<Awaited<ReturnType<HttpPost['post']>>> {
    const request = {
      accept: [MEDIA_TYPE.trustMarkStatusResponse],
      contentType: MEDIA_TYPE.form,
      body: new URLSearchParams({ trust_mark: mark.jwt }).toString(),
      timeoutMs: this.#options.timeoutMs ?? DEFAULT_STATUS_TIMEOUT_MS,
      signal,
    };
    try {
      return await this.#options.outbound.post(endpoint, request);
    } catch (error) {
      if (!(error instanceof FederationError) || error.reason !== 'connection_failed' || signal?.aborted) throw error;
      return await this.#options.outbound.post(endpoint, request);
    }
  }

  #fresh(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.endsAt > this.#options.clock.now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #keep(key: string, refusal?: FederationError): Entry {
    const { clock, cacheSeconds, refusalSeconds } = this.#options;
    const seconds =
      refusal === undefined
        ? (cacheSeconds ?? DEFAULT_STATUS_CACHE_SECONDS)
        : (refusalSeconds ?? DEFAULT_STATUS_REFUSAL_SECONDS);
    const entry: Entry = { refusal, endsAt: clock.now() + seconds };
    if (seconds > 0) this.#entries.set(key, entry);
    return entry;
  }
}

/** For the entry and its error, if it has one. */
const OVERHEAD_BYTES = 1024;

/** All that an answer rests on: two federations that state other keys for one issuer share nothing. */
function keyOf(endpoint: string, issuer: EntityStatement, mark: TrustMark): string {
  return `${endpoint} ${JSON.stringify(issuer.claims.jwks.keys)} ${mark.jwt}`;
}
