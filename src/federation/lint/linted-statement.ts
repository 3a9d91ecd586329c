/** Claims that passed their lints: all that a key of ours ever signs. Imported by the lints; others take the type only. */
import type { JsonObject } from '../json.ts';
import { TYP, type Typ } from '../media-types.ts';
import { isEntityConfiguration } from '../statement/entity-statement.ts';

/** Header parameters that something of ours may have. */
export interface StatementHeader {
  /** The issuer's own chain to the Trust Anchor (OIDFED §4.3). */
  trust_chain?: readonly string[];
}

/** Not exported: nobody else can make one, and its private fields keep look-alikes out. */
class Linted {
  readonly typ: Typ;
  /** Parameters of the JOSE header besides `typ`, `alg` and `kid`. */
  readonly header: StatementHeader;
  /** Whose Entity Configuration it is; undefined when it is anything else. */
  readonly configurationOf: string | undefined;
  readonly #payload: string;
  #isSpent = false;

  constructor(typ: Typ, claims: JsonObject, payload: string, header: StatementHeader) {
    this.typ = typ;
    this.header = header;
    this.configurationOf =
      typ === TYP.entityStatement && isEntityConfiguration(claims) ? String(claims['sub']) : undefined;
    this.#payload = payload;
  }

  /** The payload, once. @throws TypeError when it was taken before */
  spend(): string {
    if (this.#isSpent) throw new TypeError('a linted statement is signed once; lint the claims again');
    this.#isSpent = true;
    return this.#payload;
  }
}

/**
 * Claims that passed their lints, as the bytes to sign. Only a lint makes one, and it can be spent once, so that
 * nothing reaches a key unread or altered.
 */
export type LintedStatement = Linted;

/**
 * Runs the lints of a kind of document; what passes them all may be signed. For lints only.
 * @param lints each is given the payload as it will be signed
 */
export function passed(
  typ: Typ,
  claims: JsonObject,
  lints: readonly ((payload: string) => void)[],
  header: StatementHeader = {},
): LintedStatement {
  const payload = JSON.stringify(claims);
  for (const lint of lints) lint(payload);
  return new Linted(typ, claims, payload, header);
}
