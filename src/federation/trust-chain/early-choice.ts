/** The choice between Trust Chains while answers are still missing: made once none of them could change it. @see OIDFED §10.3 */
import { FederationError } from '../errors.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import type { DiscoveryBudget } from './discovery-budget.ts';
import { chainsThrough } from './enumerate-chains.ts';
import type { GraphEntity, GraphLink } from './superior-graph.ts';

/**
 * Links that all looks at one graph together may follow. Those at the graph of a real federation follow some hundreds;
 * whoever puts up more hints than that waits for all answers, as if nobody looked.
 */
export const MAX_LINKS_FOLLOWED = 20_000;

export type ChainTest = (chain: EntityStatement[]) => Promise<boolean>;

/**
 * Watches a graph that grows, where chains are chosen as in choose-trust-chain.ts: by the first superior's place among
 * the subject's hints, then by length. So those that come before whatever is missing are all known, and if one of them
 * is valid, the choice is among them in whatever order the other answers come.
 */
export class EarlyChoice {
  readonly #budget: DiscoveryBudget;
  readonly #isValid: ChainTest;
  /** Chains that all looks together may put together: no graph makes looking dear. */
  #left: number;
  #linksLeft = MAX_LINKS_FOLLOWED;

  constructor(budget: DiscoveryBudget, isValid: ChainTest) {
    this.#budget = budget;
    this.#isValid = isValid;
    this.#left = budget.maxChains;
  }

  /** Once true, it stays so. @throws whatever the test of a chain fails with */
  async isMade(subject: GraphEntity): Promise<boolean> {
    if (this.#linksLeft <= 0) return false;
    try {
      for (const equals of this.#inOrderOfChoice(subject)) {
        const verdicts = await Promise.all(equals.map(this.#isValid));
        if (verdicts.includes(true)) return true;
      }
    } catch (error) {
      if (error !== TOO_MANY_LINKS) throw error;
    }
    return false;
  }

  readonly #follow = (): void => {
    if (--this.#linksLeft <= 0) throw TOO_MANY_LINKS;
  };

  /** Gives chains with the same first superior and length together, up to the first with which a missing one may rank. */
  *#inOrderOfChoice(subject: GraphEntity): Generator<EntityStatement[][], void> {
    const { maxDepth, maxChains } = this.#budget;
    const { configuration, isTrustAnchor, superiors } = subject;
    if (configuration === undefined || configuration instanceof FederationError) return;
    if (isTrustAnchor) yield [[configuration]];
    // Whoever names a superior twice gets the answer of both, or waits for it.
    if (new Set(superiors.map(({ superior }) => superior)).size < superiors.length) return;
    for (const [index, link] of superiors.entries()) {
      const missing = fewestMissingSteps(link, this.#follow);
      let equals: EntityStatement[][] = [];
      // The last place that a chain can have when chains take turns: all superiors, and the subject itself, come before.
      let place = index + 1;
      for (const chain of chainsThrough(link, maxDepth, this.#follow)) {
        if (equals.some(({ length }) => length < chain.length)) {
          yield equals;
          equals = [];
        }
        if (superiorsIn(chain) >= missing || place >= maxChains || this.#left === 0) return;
        this.#left--;
        equals.push(chain);
        place += superiors.length + 1;
      }
      if (equals.length > 0) yield equals;
      if (missing <= maxDepth) return;
    }
  }
}

const TOO_MANY_LINKS = new Error('more links than anybody looks at');

/** A chain is the subject's configuration, a statement of each superior, and the Trust Anchor's configuration. */
function superiorsIn(chain: readonly EntityStatement[]): number {
  return chain.length - 2;
}

/** How many superiors the shortest chain over `first` may have that an answer is missing of; infinite if there is none. */
function fewestMissingSteps(first: GraphLink, onLink: () => void): number {
  const complete = new Set<GraphEntity>();
  const incomplete = new Set<GraphEntity>();
  const ways: { top: GraphEntity; steps: number; isIncomplete: boolean }[] = [];
  const climb = ({ superior, statement }: GraphLink, steps: number, isIncompleteBelow: boolean): void => {
    onLink();
    const isIncomplete = isIncompleteBelow || statement === undefined;
    const climbed = isIncomplete ? incomplete : complete;
    if (statement instanceof FederationError || superior.depth === 0 || climbed.has(superior)) return;
    climbed.add(superior);
    ways.push({ top: superior, steps, isIncomplete });
  };
  climb(first, 1, false);
  let fewest = Number.POSITIVE_INFINITY;
  // An array gives what is added while it is walked: this is a breadth-first search.
  for (const { top, steps, isIncomplete } of ways) {
    if (steps >= fewest) break;
    const { configuration, isTrustAnchor, superiors } = top;
    // Of an entity that has not answered the superiors are missing, too.
    if (configuration === undefined) fewest = Math.min(fewest, isTrustAnchor ? steps : steps + 1);
    else if (isTrustAnchor && isIncomplete && !(configuration instanceof FederationError)) fewest = steps;
    for (const link of superiors) climb(link, steps + 1, isIncomplete);
  }
  return fewest;
}
