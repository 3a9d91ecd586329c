/** Keys of authorization servers: those handed over with the record, or those that they publish, kept for a while. */
import { isJsonObject, parseJson } from '../federation/json.ts';
import { checkJwkSet, type Jwk, type JwkSet } from '../federation/jwk-set.ts';
import type { KnownTokenIssuer } from '../registry/participants/known-participants.ts';
import { type IssuerRequests, textOf } from './issuer-requests.ts';

/** Keys are fetched anew when they are as old; meanwhile those that there are verify. */
export const FRESH_SECONDS = 300;
/** Older ones verify nothing. */
export const MAX_STALE_SECONDS = 900;
/** One issuer is asked at most so often, also for keys that are missing. */
export const RETRY_SECONDS = 10;

const MAX_KEYS = 100;
/** Gateways wait 2 s for a decision. */
const LIMITS = {
  accept: ['application/jwk-set+json', 'application/json'],
  timeoutMs: 1500,
  maxResponseBytes: 256 * 1024,
};

/** Times in seconds of a clock that nobody sets. */
interface Published {
  jwks: JwkSet | undefined;
  fetchedAt: number;
  triedAt: number;
  /** Under way. */
  fetching: Promise<void> | undefined;
}

/** An issuer's record, as long as nobody changes it. */
type Issuer = Pick<KnownTokenIssuer, 'jwks' | 'jwksUri'>;

export class IssuerKeys {
  readonly #requests: Pick<IssuerRequests, 'get'>;
  readonly #monotonicMs: () => number;
  /** By the record itself: what is removed, changed or listed again starts without keys. */
  readonly #published = new WeakMap<Issuer, Published>();

  constructor(requests: Pick<IssuerRequests, 'get'>, monotonicMs: () => number) {
    this.#requests = requests;
    this.#monotonicMs = monotonicMs;
  }

  /**
   * The keys of an issuer. Nobody waits for them to be fetched if the one with the `kid` is there.
   * @returns undefined if they cannot be had
   */
  async find(issuer: Issuer, kid: unknown): Promise<JwkSet | undefined> {
    const { jwks, jwksUri } = issuer;
    if (jwks !== null || jwksUri === null) return jwks ?? undefined;
    const published = this.#of(issuer);
    const age = this.#nowSeconds() - published.fetchedAt;
    const isUsable = age < MAX_STALE_SECONDS && published.jwks?.keys.some((key) => key.kid === kid);
    if (!isUsable) await this.#refresh(jwksUri, published);
    else if (age >= FRESH_SECONDS) void this.#refresh(jwksUri, published);
    return this.#nowSeconds() - published.fetchedAt < MAX_STALE_SECONDS ? published.jwks : undefined;
  }

  #nowSeconds(): number {
    return this.#monotonicMs() / 1000;
  }

  #of(issuer: Issuer): Published {
    const known = this.#published.get(issuer);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const published = { jwks: undefined, fetchedAt: never, triedAt: never, fetching: undefined };
    this.#published.set(issuer, published);
    return published;
  }

  async #refresh(jwksUri: string, published: Published): Promise<void> {
    if (published.fetching === undefined) {
      const now = this.#nowSeconds();
      if (now - published.triedAt < RETRY_SECONDS) return;
      published.triedAt = now;
      published.fetching = this.#fetch(jwksUri, published, now).finally(() => {
        published.fetching = undefined;
      });
    }
    await published.fetching;
  }

  /** Whatever fails leaves what there was, and nothing is thrown. */
  async #fetch(jwksUri: string, published: Published, now: number): Promise<void> {
    try {
      const response = await this.#requests.get(jwksUri, LIMITS);
      const jwks = response.status === 200 ? usableKeys(textOf(response)) : undefined;
      if (jwks !== undefined) Object.assign(published, { jwks, fetchedAt: now });
    } catch {
      // An authorization server that does not answer is its operators' business; tokens are unverifiable then.
    }
  }
}

/** Those that may verify something: others may be there for other uses. @throws FederationError for what is no JSON */
function usableKeys(text: string): JwkSet | undefined {
  const published = parseJson(text);
  const keys = isJsonObject(published) ? published['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) return undefined;
  const usable = keys.flatMap((key): Jwk[] => {
    try {
      return checkJwkSet({ keys: [key] }).keys;
    } catch {
      return [];
    }
  });
  return usable.length === 0 ? undefined : { keys: usable };
}
