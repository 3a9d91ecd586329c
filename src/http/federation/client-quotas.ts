/** What the work of each caller counts, and against whose quota: its address until it proved a name. @see OIDFED §18.1 */
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { ClientNetworkOf } from '../client-address.ts';
import { ANONYMOUS, type Caller } from './callers.ts';
import type { Exchange } from './exchange.ts';
import {
  type Client,
  DEFAULT_ANONYMOUS_POLICY,
  DEFAULT_AUTHENTICATED_POLICY,
  type RateLimitPolicy,
  type RateLimits,
  refuseBeyondQuota,
} from './rate-limits.ts';
import { TryAgainLater } from './try-again-later.ts';

/**
 * Units of a question that needs a look at the records, of an evaluation, which may need requests to others, and of a
 * signature for one caller.
 */
const UNITS = { lookup: 1, evaluation: 10, signature: 1 } as const;

/** Tokens and assertions that may turn out wrong: each costs a look at the records, or a signature. */
const PROOFS_POLICY: RateLimitPolicy = { name: 'proofs', units: 300, windowSeconds: 60 };

/** What an entity has done about its own keys: each may change what is said about it, or have its configuration fetched. */
const OWN_KEYS_POLICY: RateLimitPolicy = { name: 'own-keys', units: 20, windowSeconds: 600 };

export interface ClientQuotasOptions {
  limits: RateLimits;
  networkOf: ClientNetworkOf;
  anonymousPolicy?: RateLimitPolicy;
  authenticatedPolicy?: RateLimitPolicy;
}

export class ClientQuotas {
  readonly #limits: RateLimits;
  readonly #networkOf: ClientNetworkOf;
  readonly #anonymousPolicy: RateLimitPolicy;
  readonly #authenticatedPolicy: RateLimitPolicy;

  constructor({ limits, networkOf, anonymousPolicy, authenticatedPolicy }: ClientQuotasOptions) {
    this.#limits = limits;
    this.#networkOf = networkOf;
    this.#anonymousPolicy = anonymousPolicy ?? DEFAULT_ANONYMOUS_POLICY;
    this.#authenticatedPolicy = authenticatedPolicy ?? DEFAULT_AUTHENTICATED_POLICY;
  }

  /**
   * Takes what the work costs from the caller's quota, and tells it in the answer how it stands.
   * @throws TryAgainLater rate_limited
   */
  charge(exchange: Exchange, caller: Caller, work: keyof typeof UNITS): void {
    const client = this.#clientOf(exchange, caller);
    const charged = this.#limits.charge(client, UNITS[work]);
    exchange.headers = this.#limits.headersFor(client);
    refuseBeyondQuota(charged);
  }

  /**
   * The same for what a subordinate does about its own keys; nobody else can spend this quota.
   * @param entity proved by one of its keys
   * @throws TryAgainLater rate_limited
   */
  chargeOwnKeys(exchange: Exchange, entity: EntityIdentifier): void {
    const client = { name: entity, policy: OWN_KEYS_POLICY };
    const charged = this.#limits.charge(client, 1);
    exchange.headers = this.#limits.headersFor(client);
    refuseBeyondQuota(charged);
  }

  /**
   * Finds out who calls. Proofs that fail count against the address, so that guessing ends before it costs much.
   * @throws TryAgainLater rate_limited, and what `identify` throws
   */
  async identify(exchange: Exchange, identify: () => Promise<Caller>): Promise<Caller> {
    if (!exchange.isPost && !exchange.request.headers.has('authorization')) return ANONYMOUS;
    const client = { name: this.#addressOf(exchange), policy: PROOFS_POLICY };
    refuseBeyondQuota(this.#limits.charge(client, 1));
    const caller = await this.#tellingQuotas(exchange, identify);
    if (caller.kind !== 'anonymous') this.#limits.giveBack(client, 1);
    return caller;
  }

  /** Returns what {@link charge} took, for work that another caused in the caller's name. */
  giveBack(exchange: Exchange, caller: Caller, work: keyof typeof UNITS): void {
    this.#limits.giveBack(this.#clientOf(exchange, caller), UNITS[work]);
    exchange.headers = undefined;
  }

  /** Whoever is refused for another quota than that of its work reads of that one. */
  async #tellingQuotas(exchange: Exchange, identify: () => Promise<Caller>): Promise<Caller> {
    try {
      return await identify();
    } catch (error) {
      if (error instanceof TryAgainLater && error.quota !== undefined) {
        const { name, units, windowSeconds } = error.quota;
        exchange.headers = {
          'ratelimit-policy': `"${name}";q=${units};w=${windowSeconds}`,
          ratelimit: `"${name}";r=0;t=${error.retryAfterSeconds}`,
        };
      }
      throw error;
    }
  }

  /** By what a caller is told from others: its network until it proved a name. */
  nameOf(exchange: Exchange, caller: Caller): string {
    return this.#clientOf(exchange, caller).name;
  }

  #clientOf(exchange: Exchange, caller: Caller): Client {
    switch (caller.kind) {
      case 'anonymous':
        return { name: this.#addressOf(exchange), policy: this.#anonymousPolicy };
      case 'token':
        return { name: `token ${caller.id}`, policy: this.#authenticatedPolicy };
      case 'entity':
        return { name: caller.entityIdentifier, policy: this.#authenticatedPolicy };
    }
  }

  #addressOf({ request, environment }: Exchange): string {
    return this.#networkOf(request, environment);
  }
}
