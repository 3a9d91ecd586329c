/** Discovery of Trust Chains: from a subject up its authority_hints to configured Trust Anchors. @see OIDFED §10.1 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import { type Attempt, attemptOf } from './attempt.ts';
import { deadEndsOf } from './dead-ends.ts';
import { completeBudget, type DiscoveryBudget } from './discovery-budget.ts';
import { type ChainTest, EarlyChoice } from './early-choice.ts';
import { type Enumeration, enumerateChains } from './enumerate-chains.ts';
import type { StatementSource } from './statement-source.ts';
import { exploreSuperiors, type GraphEntity, type TrustAnchorSet } from './superior-graph.ts';

export interface DiscoveryOptions {
  source: StatementSource;
  /** Identifiers of the Trust Anchors that a chain may end at; a map of their keys will do. */
  trustAnchors: TrustAnchorSet;
  /** What stands here replaces the default. */
  budget?: Partial<DiscoveryBudget>;
  /** The wall clock. When it aborts, discovery ends at once with the chains that are complete. */
  signal: AbortSignal;
  /**
   * Whether a candidate is valid. With it, discovery ends as soon as it is certain which chain is chosen (§10.3),
   * whatever is missing by then; without it, all is gathered.
   */
  isValid?: ChainTest | undefined;
}

export interface Discovery {
  /** The subject with all that was found above it. */
  graph: GraphEntity;
  /**
   * Candidates, still to be validated: the subject's Entity Configuration, Subordinate Statements going up, the Trust
   * Anchor's configuration; that one alone if it is the subject. Ordered by the first superior's place among the
   * subject's hints, then by length; the order in which answers came does not matter.
   */
  chains: EntityStatement[][];
  /** Every branch that ended elsewhere, and every limit that was met. Not empty if there is no chain. */
  attempts: Attempt[];
}

/**
 * Gathers what is above the subject, all branches side by side, each statement at most once, then puts chains
 * together. A branch that is dead, slow, endless or closes a loop ends with a reason and spoils no other.
 * @throws whatever `isValid` fails with, and the source that is no FederationError
 * @see OIDFED §10.1, §18.1
 */
export async function discoverTrustChains(
  subject: EntityIdentifier,
  { source, trustAnchors, signal, budget: limits, isValid }: DiscoveryOptions,
): Promise<Discovery> {
  const budget = completeBudget(limits);
  const choice = isValid && new EarlyChoice(budget, isValid);
  const isEnough = choice && ((entity: GraphEntity) => choice.isMade(entity));
  const exploration = { source, trustAnchors, signal, budget, isEnough };
  const graph = await exploreSuperiors(subject, exploration);
  const enumeration = enumerateChains(graph, budget);
  return {
    graph,
    chains: enumeration.chains,
    attempts: [...deadEndsOf(graph, exploration), ...cutsOf(subject, enumeration, budget)],
  };
}

/** Chains that exist and were left out are never left out in silence. */
function cutsOf(subject: EntityIdentifier, { hasMore, hasLonger }: Enumeration, budget: DiscoveryBudget): Attempt[] {
  const cut = (message: string): Attempt => attemptOf([subject], new FederationError('budget_exhausted', message));
  return [
    ...(hasMore ? [cut(`there are more than ${budget.maxChains} chains; the others were not looked at`)] : []),
    ...(hasLonger ? [cut(`chains with more than ${budget.maxDepth} superiors were not looked at`)] : []),
  ];
}
