/** What a metadata policy operator is, and the registry of those that are known. @see OIDFED §6.1.3 */
import type { Reason } from '../errors.ts';
import type { JsonValue } from '../json.ts';

/** Operators of one parameter with their values. */
export type ParameterPolicy = { [operator: string]: JsonValue };

/** How an operator says no. Whoever called it knows the place and throws. */
export class Refusal {
  readonly reason: Reason;
  readonly message: string;

  constructor(reason: Reason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

/** Why two operators may not stand together with these values; undefined if they may. */
export type CombinationRule = (own: JsonValue, other: JsonValue) => string | undefined;

export interface PolicyOperator {
  /** As written in a policy; case-sensitive. */
  readonly name: string;
  /**
   * Place in the sequence of application: `value` is 1, `essential` 7. A custom operator chooses a number between them
   * (fractions are welcome): after `value` if it modifies, before `essential` if it checks.
   */
  readonly order: number;
  /** Why this cannot be a value of the operator; undefined if it can. */
  checkValue(value: JsonValue): string | undefined;
  /** The one value that says what both say. It must not depend on how three or more are grouped. */
  merge(superior: JsonValue, subordinate: JsonValue): JsonValue | Refusal;
  /** Conditions by name of another operator; stated once for each pair. What is not named is free. */
  readonly combinations?: Readonly<Record<string, CombinationRule>>;
  /** The parameter after the operator; undefined stands for an absent one, on both sides. Never gives null. */
  apply(parameter: JsonValue | undefined, value: JsonValue): JsonValue | undefined | Refusal;
}

/** A condition of the combination matrix, as the registry collects them. */
interface Combination {
  own: string;
  other: string;
  rule: CombinationRule;
  /** The one of the two that acts later: the place of a refusal. */
  later: string;
}

/** The operators known, in order of application, and the matrix of their combinations. */
export class OperatorRegistry {
  readonly ordered: readonly PolicyOperator[];
  readonly combinations: readonly Combination[];
  readonly #byName: ReadonlyMap<string, PolicyOperator>;
  readonly #standard: ReadonlySet<string>;

  /**
   * @param standard the operators of §6.1.3.1, first and last of them included
   * @param custom operators of §6.1.3.2
   * @throws TypeError if a custom operator takes a name that is in use or a place outside of the standard ones
   */
  constructor(standard: readonly PolicyOperator[], custom: readonly PolicyOperator[] = []) {
    this.ordered = [...standard, ...custom].toSorted((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
    this.#byName = new Map(this.ordered.map((operator) => [operator.name, operator]));
    this.#standard = new Set(standard.map((operator) => operator.name));
    if (this.#byName.size !== this.ordered.length) throw new TypeError('two operators have the same name');
    const orders = standard.map((operator) => operator.order);
    for (const { name, order } of custom) {
      if (!(order > Math.min(...orders) && order < Math.max(...orders))) {
        throw new TypeError(`operator ${name} must act after the first and before the last standard operator`);
      }
    }
    this.combinations = this.ordered.flatMap((operator) => this.#combinationsOf(operator));
  }

  get(name: string): PolicyOperator | undefined {
    return this.#byName.get(name);
  }

  /** Whether the standard itself defines the operator; such a name must not stand in `metadata_policy_crit`. */
  isStandard(name: string): boolean {
    return this.#standard.has(name);
  }

  #combinationsOf(operator: PolicyOperator): Combination[] {
    return Object.entries(operator.combinations ?? {}).map(([other, rule]) => {
      const otherOrder = this.#byName.get(other)?.order ?? Number.NEGATIVE_INFINITY;
      return { own: operator.name, other, rule, later: otherOrder > operator.order ? other : operator.name };
    });
  }
}
