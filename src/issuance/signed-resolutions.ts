/** Resolve responses as signed answers; as long as a resolution holds, so does what was signed about it. */
import type { JsonObject } from '../federation/json.ts';
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintResolveResponse } from '../federation/lint/lint-resolve-response.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import type { Signer } from '../signer/signer.ts';
import { AnswerPlace, AnswerPlaces } from './answer-places.ts';
import { TooManyLoads } from './following-cache.ts';
import { lintOwn } from './lint-own.ts';
import { type ReadyAnswer, signedAnswer } from './ready-answers.ts';
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
/** Answers that are signed at a time for anybody; more help nobody. */
const MAX_SIGNING = 256;

/** With the time when the oldest statement was retrieved. */
type Expiring = ResolvedEntity & { expiresAt: NumericDate; oldestAt: NumericDate };

/** What an answer has besides what was resolved. */
export interface AnswerExtras {
  /** The authority's own resolution towards the same Trust Anchor: its chain goes into the header (§4.3) while it lasts. */
  own?: Expiring | undefined;
  /** Entity Identifier of the caller, if it proved that: the answer is for that caller alone, and not kept. */
  audience?: string | undefined;
  /** Awaited before a further choice of types is signed than are kept; what it throws refuses the answer. */
  charge?: (() => Promise<void>) | undefined;
}

/** The places of the answers about one resolution, by choice of types; what was signed last comes last. */
interface Places {
  readonly served: ServedAuthority;
  readonly own: Expiring | undefined;
  readonly byChoice: Map<string, AnswerPlace>;
}

/** What is signed, its times aside. */
interface Draft {
  readonly served: ServedAuthority;
  readonly resolved: Expiring;
  /** As asked for; empty: all. */
  readonly entityTypes: readonly string[];
  readonly own: Expiring | undefined;
  readonly audience?: string | undefined;
}

export class SignedResolutions {
  readonly #options: SignedResolutionsOptions;
  readonly #kept: AnswerPlaces;
  /** By resolution, for as long as somebody holds it. */
  readonly #places = new WeakMap<Expiring, Places>();
  #signing = 0;

  constructor(options: SignedResolutionsOptions) {
    this.#options = options;
    this.#kept = new AnswerPlaces(options.maxBytes ?? DEFAULT_MAX_SIGNED_BYTES);
  }

  /**
   * Signs that the authority resolved an entity, or gives the answer signed before while it is in its first half.
   * Whoever asks for the same while it is signed gets the same.
   * @param entityTypes types asked for; empty: all
   * @throws TooManyLoads, FederationError answer_too_large, and what `charge` throws
   */
  answer(
    served: ServedAuthority,
    resolved: Expiring,
    entityTypes: readonly string[],
    { own: knownOwn, audience, charge }: AnswerExtras = {},
  ): ReadyAnswer | Promise<ReadyAnswer> {
    const own = knownOwn !== undefined && knownOwn.expiresAt > this.#options.clock.now() ? knownOwn : undefined;
    const draft: Draft = { served, resolved, entityTypes, own, audience };
    if (audience !== undefined) return this.#sign(draft);
    const { byChoice } = this.#placesFor(draft);
    const place = byChoice.get(choiceOf(draft));
    if (place !== undefined) return this.ready(place, resolved) ?? place.signing ?? this.#renew(place, draft, byChoice);
    if (byChoice.size >= MAX_ANSWERS && charge !== undefined) {
      return charge().then(() => this.answer(served, resolved, entityTypes, { own }));
    }
    return this.#renew(new AnswerPlace(resolved), draft, byChoice);
  }

  /**
   * Where {@link answer} keeps what it gives without an own chain, until the authority or its signing key changes;
   * undefined while it gave none.
   */
  place(served: ServedAuthority, resolved: Expiring, entityTypes: readonly string[]): AnswerPlace | undefined {
    const places = this.#places.get(resolved);
    if (places === undefined || places.served !== served || places.own !== undefined) return undefined;
    return places.byChoice.get(choiceOf({ resolved, entityTypes }));
  }

  /** The answer in a place while it is in its first half, and if it is about this very resolution. */
  ready(place: AnswerPlace, resolved: Expiring): ReadyAnswer | undefined {
    const { answer } = place;
    if (answer === undefined || answer.refreshAt <= this.#options.clock.now()) return undefined;
    return place.isAbout(resolved) ? answer : undefined;
  }

  /** What was signed for another state of the authority, or with another chain of its own, is not given any more. */
  #placesFor({ served, resolved, own }: Draft): Places {
    const known = this.#places.get(resolved);
    if (known !== undefined && known.served === served && known.own === own) return known;
    for (const place of known?.byChoice.values() ?? []) this.#kept.empty(place);
    const places: Places = { served, own, byChoice: new Map() };
    this.#places.set(resolved, places);
    return places;
  }

  #renew(place: AnswerPlace, draft: Draft, byChoice: Places['byChoice']): Promise<ReadyAnswer> {
    if (this.#signing >= MAX_SIGNING) {
      return Promise.reject(new TooManyLoads('too many answers are being signed; try again in a moment'));
    }
    const choice = choiceOf(draft);
    byChoice.delete(choice);
    byChoice.set(choice, place);
    this.#dropOldest(byChoice);
    this.#signing++;
    place.signing = this.#signInto(place, draft);
    return place.signing;
  }

  /** An answer that is in the second half of its life at once is given to nobody else. */
  async #signInto(place: AnswerPlace, draft: Draft): Promise<ReadyAnswer> {
    try {
      const answer = await this.#sign(draft);
      if (answer.refreshAt > this.#options.clock.now()) this.#kept.fill(place, answer);
      else this.#kept.empty(place);
      return answer;
    } finally {
      place.signing = undefined;
      this.#signing--;
    }
  }

  /** Callers who ask for every choice of types must not fill the memory. */
  #dropOldest(byChoice: Places['byChoice']): void {
    for (const [choice, place] of byChoice) {
      if (byChoice.size <= MAX_ANSWERS) return;
      byChoice.delete(choice);
      this.#kept.empty(place);
    }
  }

  async #sign({ served, resolved, entityTypes, own, audience }: Draft): Promise<ReadyAnswer> {
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
    const keptUntil = Math.min(expiresAt, own?.expiresAt ?? expiresAt);
    const oldestAt = Math.min(resolved.oldestAt, own?.oldestAt ?? resolved.oldestAt);
    return {
      ...signedAnswer({ jwt, expiresAt: keptUntil, refreshAt }, MEDIA_TYPE.resolveResponse),
      oldestStatement: new Date(oldestAt * 1000).toUTCString(),
    };
  }
}

const ALL_TYPES = '';

/** A name for the types of an answer: the same for all questions that get the same. */
function choiceOf({ resolved, entityTypes }: Pick<Draft, 'resolved' | 'entityTypes'>): string {
  if (entityTypes.length === 0) return ALL_TYPES;
  const played = Object.keys(resolved.metadata);
  const chosen = played.filter((type) => entityTypes.includes(type));
  return chosen.length === played.length ? ALL_TYPES : JSON.stringify(chosen);
}
