/** How much one discovery may cost, and how its branches share that. @see OIDFED §18.1 */

export interface DiscoveryBudget {
  /** Most superiors above the subject in one chain, the Trust Anchor included. */
  maxDepth: number;
  /** Hints of one entity that are followed, in their order. Configured Trust Anchors beyond them are followed too. */
  maxHintsPerEntity: number;
  /** Entity Configurations and Subordinate Statements asked for, together. */
  maxStatements: number;
  /** Trust Chains put together; each costs a validation. */
  maxChains: number;
  /** Bytes of all answers together. */
  maxBytes: number;
}

export const DEFAULT_DISCOVERY_BUDGET: Readonly<DiscoveryBudget> = {
  maxDepth: 12,
  maxHintsPerEntity: 64,
  maxStatements: 256,
  maxChains: 64,
  maxBytes: 16 * 1024 * 1024,
};

/** The limits given, and the default where one is missing. */
export function completeBudget(budget: Partial<DiscoveryBudget> = {}): DiscoveryBudget {
  const { maxDepth, maxHintsPerEntity, maxStatements, maxChains, maxBytes } = DEFAULT_DISCOVERY_BUDGET;
  return {
    maxDepth: budget.maxDepth ?? maxDepth,
    maxHintsPerEntity: budget.maxHintsPerEntity ?? maxHintsPerEntity,
    maxStatements: budget.maxStatements ?? maxStatements,
    maxChains: budget.maxChains ?? maxChains,
    maxBytes: budget.maxBytes ?? maxBytes,
  };
}

/**
 * The statements that one branch of the graph may ask for. At every fork half of what is left is dealt out to the new
 * branches; the other half goes to whoever comes first. So a branch that grows without end finds a limit before those
 * beside it starve, however fast it answers. Nothing is lost by that: what no branch may take at first is given to
 * those that wait once all else has come to rest (`takeUnclaimed`).
 */
export class Allowance {
  readonly #total: { left: number };
  readonly #below: Allowance | undefined;
  /** For the hints of this entity and the statements about it. */
  #own = 0;
  /** For this entity and all that is above it. */
  #shared: number;

  private constructor(total: { left: number }, shared: number, below?: Allowance) {
    this.#total = total;
    this.#shared = shared;
    this.#below = below;
  }

  static ofDiscovery(maxStatements: number): Allowance {
    return new Allowance({ left: maxStatements }, maxStatements);
  }

  /**
   * Sets aside `statements` for an entity whose hints are known now, and splits the rest.
   * @param branches number of entities that are met for the first time
   * @returns makes the allowance of one of these branches
   */
  fork(statements: number, branches: number): () => Allowance {
    const own = Math.min(statements, this.#shared);
    this.#own += own;
    this.#shared -= own;
    const dealt = branches === 0 ? 0 : Math.floor(this.#shared / 2 / branches);
    this.#shared -= dealt * branches;
    return () => new Allowance(this.#total, dealt, this);
  }

  /** Takes one statement, if this branch or one that it grew from has one left to take. */
  take(): boolean {
    if (this.#total.left === 0) return false;
    if (this.#own > 0) this.#own--;
    else if (!this.#takeShared()) return false;
    this.#total.left--;
    return true;
  }

  /** Takes one statement from what is left of the whole discovery. */
  takeUnclaimed(): boolean {
    if (this.#total.left === 0) return false;
    this.#total.left--;
    return true;
  }

  #takeShared(): boolean {
    if (this.#shared > 0) {
      this.#shared--;
      return true;
    }
    if (this.#below === undefined) return false;
    return this.#below.#takeShared();
  }
}
