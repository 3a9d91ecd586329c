/** How old the statements are that one resolution rests on. */
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import type { ObtainedStatement } from './statement-cache.ts';

/** How old the statements of one resolution are. Those of our own authorities are as new as the resolution. */
export class StatementAges {
  readonly #now: NumericDate;
  readonly #byJwt = new Map<string, ObtainedStatement>();
  /** Statements outside of the chain that the result rests on. */
  readonly #further: EntityStatement[] = [];

  constructor(now: NumericDate) {
    this.#now = now;
  }

  note(obtained: ObtainedStatement): void {
    this.#byJwt.set(obtained.statement.jwt, obtained);
  }

  /** Undefined for what our own authorities say. */
  retrievedAt({ jwt }: EntityStatement): NumericDate | undefined {
    return this.#byJwt.get(jwt)?.retrievedAt;
  }

  noteFurther(statements: readonly EntityStatement[]): void {
    this.#further.push(...statements);
  }

  of(chain: readonly EntityStatement[]): { oldestAt: NumericDate; freshUntil: NumericDate } {
    const parts = [...chain, ...this.#further].map(({ jwt }) => this.#byJwt.get(jwt));
    const known = parts.filter((obtained) => obtained !== undefined);
    return {
      oldestAt: Math.min(this.#now, ...known.map(({ retrievedAt }) => retrievedAt)),
      freshUntil: Math.min(Number.POSITIVE_INFINITY, ...known.map(({ freshUntil }) => freshUntil)),
    };
  }
}
