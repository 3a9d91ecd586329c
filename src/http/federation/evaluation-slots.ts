/** How many evaluations are under way at a time: of each kind, so that none holds up another, and for each caller. */
import { TryAgainLater } from './try-again-later.ts';

export interface EvaluationLimits {
  /** Evaluations at a time of each kind. */
  maxOfKind: number;
  /** Evaluations at a time of one caller, and of one network of anonymous callers. */
  maxOfCaller: number;
}

export const DEFAULT_EVALUATION_LIMITS: Readonly<EvaluationLimits> = { maxOfKind: 32, maxOfCaller: 8 };

/** Each has room of its own. What an authority of ours vouches for does not wait for anything else. */
export type EvaluationKind = 'asked for' | 'vouched for' | 'admission' | 'renewal' | 'vouched-for renewal';

/** Whose room an evaluation takes; renewals are nobody's. */
export interface EvaluationSlot {
  kind: EvaluationKind;
  caller?: string;
}

/** Evaluations end within seconds. */
const RETRY_SECONDS = 2;

export class EvaluationSlots {
  readonly #limits: EvaluationLimits;
  /** By kind, and by caller. */
  readonly #taken = new Map<string, number>();

  constructor(limits: Partial<EvaluationLimits> = {}) {
    this.#limits = { ...DEFAULT_EVALUATION_LIMITS, ...limits };
  }

  /** @throws TryAgainLater resolution_unavailable, before anything is evaluated */
  async within<T>({ kind, caller }: EvaluationSlot, evaluate: () => Promise<T>): Promise<T> {
    const { maxOfKind, maxOfCaller } = this.#limits;
    const callerName = caller === undefined ? undefined : `caller ${caller}`;
    if (callerName !== undefined && this.#count(callerName) >= maxOfCaller) {
      throw tooMany(`${maxOfCaller} resolutions for you are under way; ask for fewer at a time`);
    }
    if (this.#count(kind) >= maxOfKind) throw tooMany('too many resolutions are under way; try again later');
    const names = callerName === undefined ? [kind] : [kind, callerName];
    for (const name of names) this.#taken.set(name, this.#count(name) + 1);
    try {
      return await evaluate();
    } finally {
      for (const name of names) this.#free(name);
    }
  }

  #count(name: string): number {
    return this.#taken.get(name) ?? 0;
  }

  #free(name: string): void {
    const left = this.#count(name) - 1;
    if (left === 0) this.#taken.delete(name);
    else this.#taken.set(name, left);
  }
}

function tooMany(message: string): TryAgainLater {
  return new TryAgainLater('resolution_unavailable', message, { retryAfterSeconds: RETRY_SECONDS });
}
