/** Resolve responses as signed answers; as long as a resolution holds, so does what was signed about it. */
import { type HouseRules, lintResolveResponse } from '../federation/lint/lint-statement.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import type { Signer } from '../signer/signer.ts';
import { lintOwn } from './lint-own.ts';
import { type ReadyAnswer, readyAnswer } from './ready-answers.ts';
import { buildResolveResponse, type ResolvedEntity } from './resolve-response.ts';
import { signingKeyOf } from './statement-issuer.ts';

export interface SignedResolutionsOptions {
  signer: Signer;
  clock: Clock;
  houseRules: HouseRules;
}

/** Signed answers kept for one resolution: with all types, and with the few choices that callers make. */
const MAX_ANSWERS = 4;

type Expiring = ResolvedEntity & { expiresAt: NumericDate };

export class SignedResolutions {
  readonly #options: SignedResolutionsOptions;
  /** Answers by resolution, then by signing key, lifetime and Entity Types; they go when the resolution goes. */
  readonly #answers = new WeakMap<object, Map<string, ReadyAnswer>>();

  constructor(options: SignedResolutionsOptions) {
    this.#options = options;
  }

  /**
   * Signs that the authority resolved an entity, or gives the answer signed before while it is in its first half.
   * @param entityTypes types asked for; empty: all
   */
  answer(
    served: ServedAuthority,
    resolved: Expiring,
    entityTypes: readonly string[],
  ): ReadyAnswer | Promise<ReadyAnswer> {
    const types = [...new Set(entityTypes)].filter((type) => Object.hasOwn(resolved.metadata, type)).sort();
    const isFiltered = entityTypes.length > 0;
    const { kid } = signingKeyOf(served);
    const key = JSON.stringify([served.authority.id, kid, served.authority.resolveLifetimeSeconds, isFiltered, types]);
    const signed = this.#answers.get(resolved)?.get(key);
    if (signed !== undefined && signed.refreshAt > this.#options.clock.now()) return signed;
    return this.#sign(served, resolved, isFiltered ? entityTypes : [], key);
  }

  async #sign(
    served: ServedAuthority,
    resolved: Expiring,
    entityTypes: readonly string[],
    key: string,
  ): Promise<ReadyAnswer> {
    const { signer, clock, houseRules } = this.#options;
    const now = clock.now();
    const expiresAt = Math.min(resolved.expiresAt, now + served.authority.resolveLifetimeSeconds);
    const claims = { ...buildResolveResponse(served.authority, resolved, entityTypes), iat: now, exp: expiresAt };
    const linted = lintOwn('a resolve response', () => lintResolveResponse(claims, houseRules));
    const jwt = await signer.sign(signingKeyOf(served), linted);
    const refreshAt = Math.floor((now + expiresAt) / 2);
    const answer = readyAnswer(jwt, MEDIA_TYPE.resolveResponse, { expiresAt, refreshAt });
    this.#keep(resolved, key, answer);
    return answer;
  }

  /** The oldest answer goes first: callers who ask for every choice of types must not fill the memory. */
  #keep(resolved: Expiring, key: string, answer: ReadyAnswer): void {
    const answers = this.#answers.get(resolved) ?? new Map<string, ReadyAnswer>();
    answers.delete(key);
    const [oldest] = answers.keys();
    if (oldest !== undefined && answers.size >= MAX_ANSWERS) answers.delete(oldest);
    this.#answers.set(resolved, answers.set(key, answer));
  }
}
