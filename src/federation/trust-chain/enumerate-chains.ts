/** Chains without loops from a subject up to Trust Anchors, in bounded time on any graph. @see OIDFED §10.1, §17.1 */
import { FederationError } from '../errors.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import type { DiscoveryBudget } from './discovery-budget.ts';
import type { GraphEntity, GraphLink, Retrieved } from './superior-graph.ts';

export interface Enumeration {
  chains: EntityStatement[][];
  /** There are chains beyond `maxChains`. */
  hasMore: boolean;
  /** There are chains beyond `maxDepth`. */
  hasLonger: boolean;
}

/** A way up, told from its last entity. */
interface Climb {
  top: GraphEntity;
  below: Climb | undefined;
  /** By `top` about the entity below; by the subject about itself at the bottom. */
  statement: EntityStatement;
  /** Steps up from the subject. */
  height: number;
}

/** Entity Configurations of the Trust Anchors that can be reached. */
type Anchors = ReadonlyMap<GraphEntity, EntityStatement>;

/**
 * Lists chains by the subject's Immediate Superior in hint order, the shortest first, equally long ones in an order
 * that depends on the graph alone. If `maxChains` cuts the list, each Immediate Superior has had its turn with its
 * shortest chains: none fills it alone. No step is taken that leads to no Trust Anchor, so the work is proportional to
 * the result.
 */
export function enumerateChains(
  subject: GraphEntity,
  { maxDepth, maxChains }: Pick<DiscoveryBudget, 'maxDepth' | 'maxChains'>,
): Enumeration {
  const statement = obtained(subject.configuration);
  if (statement === undefined) return { chains: [], hasMore: false, hasLonger: false };
  let hasLonger = false;
  const onLonger = (): void => {
    hasLonger = true;
  };
  const anchors = trustAnchorsAbove(subject, () => {});
  const start: Climb = { top: subject, below: undefined, statement, height: 0 };
  const searches = climbsFrom(start).map((first) => chainsContinuing(first, anchors, maxDepth, { onLonger }));
  const itself = anchors.has(subject) ? [[statement]] : [];
  const { taken, hasMore } = takeInTurns([itself.values(), ...searches], maxChains);
  return { chains: taken.flat(), hasMore, hasLonger };
}

/**
 * Chains whose first superior is that of `link`, the shortest first, without those of more than `maxDepth` superiors.
 * @param onLink called for each link looked at; what it throws ends the search
 */
export function* chainsThrough(
  link: GraphLink,
  maxDepth: number,
  onLink: () => void,
): Generator<EntityStatement[], void> {
  const { subordinate: subject, superior } = link;
  const configuration = obtained(subject.configuration);
  const statement = obtained(link.statement);
  if (configuration === undefined || statement === undefined) return;
  const start: Climb = { top: subject, below: undefined, statement: configuration, height: 0 };
  const first: Climb = { top: superior, below: start, statement, height: 1 };
  yield* chainsContinuing(first, trustAnchorsAbove(superior, onLink), maxDepth, { onLink });
}

/** Takes one from each source in turn; says whether there would have been more than `limit`. */
function takeInTurns<T>(sources: readonly Iterator<T>[], limit: number): { taken: T[][]; hasMore: boolean } {
  const open = new Map(sources.map((source) => [source, [] as T[]]));
  const taken = [...open.values()];
  let count = 0;
  while (open.size > 0) {
    for (const [source, fromSource] of open) {
      const next = source.next();
      if (next.done === true) {
        open.delete(source);
        continue;
      }
      if (count === limit) return { taken, hasMore: true };
      fromSource.push(next.value);
      count++;
    }
  }
  return { taken, hasMore: false };
}

interface Watch {
  onLonger?: () => void;
  onLink?: () => void;
}

/**
 * Gives every chain that continues `first` up to a Trust Anchor, the shortest ones first: a climb that is not complete
 * waits under the number of steps that it needs at least.
 */
function* chainsContinuing(
  first: Climb,
  anchors: Anchors,
  maxDepth: number,
  { onLonger, onLink = () => {} }: Watch,
): Generator<EntityStatement[], void> {
  const byLength: Climb[][] = Array.from({ length: maxDepth + 1 }, () => []);
  const propose = (climb: Climb, stepsLeft: number | undefined): void => {
    if (stepsLeft === undefined) return;
    const waiting = byLength[climb.height + stepsLeft];
    if (waiting === undefined) onLonger?.();
    else waiting.push(climb);
  };
  propose(first, stepsToTrustAnchor(anchors, new Set(first.below && entitiesOf(first.below)), onLink).get(first.top));
  for (const waiting of byLength) {
    for (let climb = waiting.pop(); climb !== undefined; climb = waiting.pop()) {
      const anchor = anchors.get(climb.top);
      if (anchor !== undefined) yield [...statementsOf(climb), anchor];
      const stepsLeft = stepsToTrustAnchor(anchors, new Set(entitiesOf(climb)), onLink);
      for (const next of climbsFrom(climb).reverse()) propose(next, stepsLeft.get(next.top));
    }
  }
}

/** One step further, to every superior from whom there is a statement, in hint order. */
function climbsFrom(climb: Climb): Climb[] {
  return climb.top.superiors.flatMap((link) => {
    const statement = obtained(link.statement);
    return statement === undefined ? [] : [{ top: link.superior, below: climb, statement, height: climb.height + 1 }];
  });
}

function entitiesOf(climb: Climb): GraphEntity[] {
  return stepsOf(climb).map(({ top }) => top);
}

function statementsOf(climb: Climb): EntityStatement[] {
  return stepsOf(climb).map(({ statement }) => statement);
}

/** The steps of a climb, from the subject up. */
function stepsOf(climb: Climb): Climb[] {
  const steps: Climb[] = [];
  for (let step: Climb | undefined = climb; step !== undefined; step = step.below) steps.push(step);
  return steps.reverse();
}

/** How many steps each entity is from the nearest Trust Anchor if some entities may not be passed. */
function stepsToTrustAnchor(
  anchors: Anchors,
  avoided: ReadonlySet<GraphEntity>,
  onLink: () => void,
): ReadonlyMap<GraphEntity, number> {
  const steps = new Map<GraphEntity, number>();
  for (const anchor of anchors.keys()) if (!avoided.has(anchor)) steps.set(anchor, 0);
  // A Map gives what is added while it is walked: this is a breadth-first search.
  for (const [entity, count] of steps) {
    for (const link of entity.subordinates) {
      onLink();
      const { subordinate } = link;
      if (isUsable(link) && !avoided.has(subordinate) && !steps.has(subordinate)) steps.set(subordinate, count + 1);
    }
  }
  return steps;
}

/** The entity itself is one of them if it is a Trust Anchor. */
function trustAnchorsAbove(lowest: GraphEntity, onLink: () => void): Anchors {
  const above = new Set([lowest]);
  const anchors = new Map<GraphEntity, EntityStatement>();
  // A Set gives what is added while it is walked.
  for (const entity of above) {
    const configuration = obtained(entity.configuration);
    if (entity.isTrustAnchor && configuration !== undefined) anchors.set(entity, configuration);
    for (const link of entity.superiors) {
      onLink();
      if (isUsable(link)) above.add(link.superior);
    }
  }
  return anchors;
}

function isUsable(link: GraphLink): boolean {
  return obtained(link.statement) !== undefined;
}

function obtained(retrieved: Retrieved | undefined): EntityStatement | undefined {
  return retrieved instanceof FederationError ? undefined : retrieved;
}
