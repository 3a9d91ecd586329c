/** Resolve responses as signed answers; as long as a resolution holds, so does what was signed about it. */
import type { JsonObject } from '../federation/json.ts';
import { type HouseRules, lintResolveResponse } from '../federation/lint/lint-statement.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import type { Signer } from '../signer/signer.ts';
import { FollowingCache } from './following-cache.ts';
import { lintOwn } from './lint-own.ts';
import { type ReadyAnswer, signedAnswer, sizeOf } from './ready-answers.ts';
import { buildResolveResponse, type ResolvedEntity } from './resolve-response.ts';
import { signingKeyOf } from './statement-issuer.ts';

export interface SignedResolutionsOptions {
  signer: Signer;
  clock: Clock;
  houseRules: HouseRules;
  /** Memory for all signed answers, in bytes; the oldest goes first. */
  maxBytes?: number;
}

export const DEFAULT_MAX_SIGNED_BYTES = 64 * 1024 * 1024;
/** Signed answers kept for one resolution: with all types, and with the few choices that callers make. */
const MAX_ANSWERS = 4;

type Expiring = ResolvedEntity & { expiresAt: NumericDate };

/** What an answer has besides what was resolved. */
export interface AnswerExtras {
  /** The authority's own resolution towards the same Trust Anchor: its chain goes into the header (§4.3). */
  own?: Expiring | undefined;
  /** Entity Identifier of the caller, if it proved that: the answer is for that caller alone, and not kept. */
  audience?: string | undefined;
}

/** Where the answer to a question about one resolution is kept. */
export interface AnswerPlace {
  /** Of that resolution alone. */
  readonly scope: string;
  readonly name: string;
}

/** What is remembered of a resolution, for as long as somebody holds it. */
interface Known {
  /** Its own in the cache. */
  scope: string;
  /** Names of its answers in the cache, the oldest first. */
  names: Set<string>;
}

export class SignedResolutions {
  readonly #options: SignedResolutionsOptions;
  /** By resolution, then by signing key, lifetime and Entity Types. What outlives its resolution is never found. */
  readonly #answers: FollowingCache<ReadyAnswer>;
  readonly #known = new WeakMap<object, Known>();
  #lastNumber = 0;

  constructor(options: SignedResolutionsOptions) {
    this.#options = options;
    this.#answers = new FollowingCache({ maxBytes: options.maxBytes ?? DEFAULT_MAX_SIGNED_BYTES, sizeOf });
  }

  /**
   * Signs that the authority resolved an entity, or gives the answer signed before while it is in its first half.
   * Whoever asks for the same while it is signed gets the same.
   * @param entityTypes types asked for; empty: all
   * @throws TooManyLoads
   */
  answer(
    served: ServedAuthority,
    resolved: Expiring,
    entityTypes: readonly string[],
    { own, audience }: AnswerExtras = {},
  ): ReadyAnswer | Promise<ReadyAnswer> {
    if (audience !== undefined) return this.#sign(served, resolved, entityTypes, { own, audience });
    const place = this.place(served, resolved, entityTypes, own);
    const ready = this.ready(place);
    if (ready !== undefined) return ready;
    return this.#load(place.name, this.#knownOf(resolved), () => this.#sign(served, resolved, entityTypes, { own }));
  }

  /** Where the answer is kept that {@link answer} gives: the same until the authority or its signing key changes. */
  place(served: ServedAuthority, resolved: Expiring, entityTypes: readonly string[], own?: Expiring): AnswerPlace {
    const types = [...new Set(entityTypes)].filter((type) => Object.hasOwn(resolved.metadata, type)).sort();
    const isFiltered = entityTypes.length > 0;
    const { kid } = signingKeyOf(served);
    const choice: unknown[] = [served.authority.id, kid, served.authority.resolveLifetimeSeconds, isFiltered, types];
    if (own !== undefined) choice.push(this.#knownOf(own).scope);
    return { scope: this.#knownOf(resolved).scope, name: JSON.stringify(choice) };
  }

  /** Whether this is the place of an answer about this very resolution, and not of one before it. */
  isPlaceOf({ scope }: AnswerPlace, resolved: Expiring): boolean {
    return this.#known.get(resolved)?.scope === scope;
  }

  /** The answer signed before, while it is in its first half. */
  ready({ scope, name }: AnswerPlace): ReadyAnswer | undefined {
    const signed = this.#answers.get(scope, name);
    return signed !== undefined && signed.refreshAt > this.#options.clock.now() ? signed : undefined;
  }

  #knownOf(resolved: Expiring): Known {
    let known = this.#known.get(resolved);
    if (known === undefined) {
      known = { scope: String(++this.#lastNumber), names: new Set() };
      this.#known.set(resolved, known);
    }
    return known;
  }

  async #load(name: string, { scope, names }: Known, sign: () => Promise<ReadyAnswer>): Promise<ReadyAnswer> {
    const answer = await this.#answers.load(scope, name, sign);
    if (answer === undefined) throw new Error('a resolution without an answer');
    names.delete(name);
    names.add(name);
    this.#dropOldest(scope, names);
    return answer;
  }

  /** Callers who ask for every choice of types must not fill the memory. */
  #dropOldest(scope: string, names: Set<string>): void {
    for (const name of names) {
      if (names.size <= MAX_ANSWERS) return;
      names.delete(name);
      this.#answers.delete(scope, name);
    }
  }

  async #sign(
    served: ServedAuthority,
    resolved: Expiring,
    entityTypes: readonly string[],
    { own, audience }: AnswerExtras,
  ): Promise<ReadyAnswer> {
    const { signer, clock, houseRules } = this.#options;
    const now = clock.now();
    const expiresAt = Math.min(resolved.expiresAt, now + served.authority.resolveLifetimeSeconds);
    const claims: JsonObject = {
      ...buildResolveResponse(served.authority, resolved, entityTypes),
      iat: now,
      exp: expiresAt,
    };
    if (audience !== undefined) claims['aud'] = audience;
    const header = own === undefined ? {} : { trust_chain: [...own.trustChain] };
    const linted = lintOwn('a resolve response', () => lintResolveResponse(claims, houseRules, header));
    const jwt = await signer.sign(signingKeyOf(served), linted);
    const refreshAt = Math.floor((now + expiresAt) / 2);
    return signedAnswer({ jwt, expiresAt, refreshAt }, MEDIA_TYPE.resolveResponse);
  }
}
