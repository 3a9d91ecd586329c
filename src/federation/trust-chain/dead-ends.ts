/** The branches of a graph of superiors that end below a Trust Anchor, each with its reason. @see OIDFED §10.1 */
import { FederationError, pointer, type Reason } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import { type Attempt, attemptOf } from './attempt.ts';
import {
  type ExplorationOptions,
  type GraphEntity,
  type GraphLink,
  hintsOf,
  isSummit,
  type Retrieved,
} from './superior-graph.ts';

/** A hostile graph can have thousands of dead ends; beyond this many it is only said that there are more. */
export const MAX_DEAD_ENDS = 1000;

const CONFIGURATION = 'Entity Configuration';
const STATEMENT = 'Subordinate Statement';
const AUTHORITY_HINTS = `${CONFIGURATION} /authority_hints`;

/**
 * Walks the graph depth first in the order of the hints, each entity once, and records every end that is no Trust
 * Anchor. If no Trust Anchor can be reached at all, there is at least one.
 */
export function deadEndsOf(subject: GraphEntity, options: ExplorationOptions): Attempt[] {
  const survey = new Survey(options);
  survey.visit(subject);
  return survey.attempts;
}

class Survey {
  readonly attempts: Attempt[] = [];
  readonly #options: ExplorationOptions;
  readonly #visited = new Set<GraphEntity>();
  /** From the subject to the entity that is looked at. */
  readonly #way = new Set<GraphEntity>();

  constructor(options: ExplorationOptions) {
    this.#options = options;
  }

  visit(entity: GraphEntity): void {
    this.#visited.add(entity);
    this.#way.add(entity);
    const failure = failureOf(entity.configuration);
    if (failure !== undefined) this.#record(failure.within(CONFIGURATION));
    else if (entity.isFollowed) this.#visitSuperiors(entity);
    else this.#recordEnd(entity);
    this.#way.delete(entity);
  }

  #visitSuperiors(entity: GraphEntity): void {
    for (const link of entity.superiors) this.#visitSuperior(link);
    const left = hintsOf(entity).length - entity.superiors.length;
    if (left === 0) return;
    const { maxHintsPerEntity } = this.#options.budget;
    const message = `names ${left + entity.superiors.length} superiors; of those after the first ${maxHintsPerEntity} only configured Trust Anchors are followed`;
    this.#refuse('budget_exhausted', message, AUTHORITY_HINTS + pointer(maxHintsPerEntity));
  }

  #visitSuperior(link: GraphLink): void {
    const { subordinate, superior } = link;
    if (this.#way.has(superior)) {
      const position = hintsOf(subordinate).indexOf(superior.identifier);
      const message = `names ${superior.identifier}, which is already below it; the hint is not used`;
      this.#refuse('trust_chain_loop', message, AUTHORITY_HINTS + pointer(position), superior);
      return;
    }
    if (link.isWanted) this.#recordFailedStatement(link);
    if (!this.#visited.has(superior)) this.visit(superior);
  }

  #recordFailedStatement({ statement, superior }: GraphLink): void {
    const failure = failureOf(statement);
    if (failure !== undefined) this.#record(failure.within(STATEMENT), superior);
  }

  /** A configuration was obtained, but nothing above it was looked at. */
  #recordEnd(entity: GraphEntity): void {
    const { budget, trustAnchors } = this.#options;
    if (hintsOf(entity).length > 0) {
      if (isSummit(entity, trustAnchors)) return;
      const message = `a chain may have ${budget.maxDepth} superiors; those of ${entity.identifier} are too far up`;
      this.#refuse('budget_exhausted', message, AUTHORITY_HINTS);
    } else if (!entity.isTrustAnchor) {
      const isSubject = entity.depth === 0;
      const message = `${entity.identifier} names no superior and is no configured Trust Anchor`;
      this.#refuse(isSubject ? 'no_authority_hints' : 'trust_anchor_unknown', message, AUTHORITY_HINTS);
    }
  }

  #refuse(reason: Reason, message: string, at: string, beyond?: GraphEntity): void {
    this.#record(new FederationError(reason, message, at), beyond);
  }

  #record(error: FederationError, beyond?: GraphEntity): void {
    if (this.attempts.length > MAX_DEAD_ENDS) return;
    const isFull = this.attempts.length === MAX_DEAD_ENDS;
    const way: EntityIdentifier[] = [...this.#way, ...(beyond === undefined ? [] : [beyond])].map(
      ({ identifier }) => identifier,
    );
    if (!isFull) this.attempts.push(attemptOf(way, error));
    else this.attempts.push(attemptOf(way.slice(0, 1), moreDeadEnds()));
  }
}

/** Why there is no statement; undefined when there is one. */
function failureOf(retrieved: Retrieved | undefined): FederationError | undefined {
  if (retrieved instanceof FederationError) return retrieved;
  if (retrieved !== undefined) return undefined;
  return new FederationError('timed_out', 'no answer came before the discovery ended');
}

function moreDeadEnds(): FederationError {
  return new FederationError('budget_exhausted', `only the first ${MAX_DEAD_ENDS} dead ends are listed`);
}
