/** Keys of authorization servers: those handed over with the record, or those that they publish, kept for a while. */
import { isJsonObject, parseJson } from '../federation/json.ts';
import { checkJwkSet, type Jwk, type JwkSet } from '../federation/jwk-set.ts';
import type { NumericDate } from '../federation/time.ts';
import type { KnownTokenIssuer } from '../registry/participants/known-participants.ts';
import { type IssuerRequests, textOf } from './issuer-requests.ts';

/** Keys are fetched anew when they are as old, before they verify anything. */
export const FRESH_SECONDS = 300;
/** Keys that cannot be fetched anew verify until they are as old. */
export const MAX_STALE_SECONDS = 3600;
/** One issuer is asked at most so often, also for keys that are missing. */
export const RETRY_SECONDS = 10;

const MAX_ISSUERS = 10_000;
const MAX_KEYS = 100;
const LIMITS = {
  accept: ['application/jwk-set+json', 'application/json'],
  timeoutMs: 3000,
  maxResponseBytes: 256 * 1024,
};

interface Published {
  jwks: JwkSet | undefined;
  fetchedAt: NumericDate;
  triedAt: NumericDate;
  /** Under way. */
  fetching: Promise<void> | undefined;
}

export class IssuerKeys {
  readonly #requests: Pick<IssuerRequests, 'get'>;
  /** By where they are published. */
  readonly #published = new Map<string, Published>();

  constructor(requests: Pick<IssuerRequests, 'get'>) {
    this.#requests = requests;
  }

  /**
   * The keys of an issuer, asked for anew if none has the `kid`.
   * @returns undefined if they cannot be had
   */
  async find(
    { jwks, jwksUri }: Pick<KnownTokenIssuer, 'jwks' | 'jwksUri'>,
    kid: unknown,
    now: NumericDate,
  ): Promise<JwkSet | undefined> {
    if (jwks !== null || jwksUri === null) return jwks ?? undefined;
    const published = this.#of(jwksUri);
    const isFresh = now - published.fetchedAt < FRESH_SECONDS;
    const isMissing = !published.jwks?.keys.some((key) => key.kid === kid);
    if (!isFresh || isMissing) await this.#refresh(jwksUri, published, now);
    return now - published.fetchedAt < MAX_STALE_SECONDS ? published.jwks : undefined;
  }

  #of(jwksUri: string): Published {
    const known = this.#published.get(jwksUri);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const published = { jwks: undefined, fetchedAt: never, triedAt: never, fetching: undefined };
    this.#published.set(jwksUri, published);
    // They come from records, so there are few; those of records long gone are the oldest.
    if (this.#published.size > MAX_ISSUERS) this.#published.delete(this.#published.keys().next().value ?? '');
    return published;
  }

  async #refresh(jwksUri: string, published: Published, now: NumericDate): Promise<void> {
    if (published.fetching === undefined) {
      if (now - published.triedAt < RETRY_SECONDS) return;
      published.triedAt = now;
      published.fetching = this.#fetch(jwksUri, published, now).finally(() => {
        published.fetching = undefined;
      });
    }
    await published.fetching;
  }

  /** Whatever fails leaves what there was. */
  async #fetch(jwksUri: string, published: Published, now: NumericDate): Promise<void> {
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
