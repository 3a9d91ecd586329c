/** The entities above a subject and the statements between them, gathered from a source. @see OIDFED §10.1 */
import { FederationError } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';
import { Allowance, type DiscoveryBudget } from './discovery-budget.ts';
import type { StatementSource } from './statement-source.ts';

/** Identifiers of the configured Trust Anchors. */
export type TrustAnchorSet = Pick<ReadonlySet<EntityIdentifier>, 'has' | 'size'>;

export interface ExplorationOptions {
  source: StatementSource;
  trustAnchors: TrustAnchorSet;
  budget: DiscoveryBudget;
  /** The wall clock: when it aborts, what was gathered until then is the result. */
  signal: AbortSignal;
  /** Asked after answers, never twice at a time: whether what is still missing does not matter any more. */
  isEnough?: ((subject: GraphEntity) => Promise<boolean>) | undefined;
}

/** What came of a retrieval. */
export type Retrieved = EntityStatement | FederationError;

export interface GraphEntity {
  readonly identifier: EntityIdentifier;
  readonly isTrustAnchor: boolean;
  /** What may be asked for from here on. */
  readonly allowance: Allowance;
  /** Absent when the time was up before the answer came. */
  configuration?: Retrieved;
  /** Fewest steps up from the subject. */
  depth: number;
  /** Whether `superiors` was filled in; a limit, an empty list or a Trust Anchor may be why it was not. */
  isFollowed: boolean;
  /** In the order of `authority_hints`. */
  readonly superiors: GraphLink[];
  readonly subordinates: GraphLink[];
  /** It is a Trust Anchor, or hints lead from it to one. */
  leadsToTrustAnchor: boolean;
}

/** A hint: `subordinate` names `superior`. */
export interface GraphLink {
  readonly subordinate: GraphEntity;
  readonly superior: GraphEntity;
  /** Statements are asked for where a Trust Anchor was met above, and nowhere else. */
  isWanted: boolean;
  /** Absent when none was wanted, or when the time was up before the answer came. */
  statement?: Retrieved;
}

/**
 * Walks up from the subject, all branches side by side, and asks for each configuration and statement at most once.
 * It ends when nothing more can be asked for, or when that does not matter any more, or with the signal.
 * @throws whatever the source or `isEnough` fails with that is no FederationError
 */
export async function exploreSuperiors(subject: EntityIdentifier, options: ExplorationOptions): Promise<GraphEntity> {
  const exploration = new Exploration(options);
  return await exploration.from(subject);
}

interface Retrieval {
  /** Of the branch that asks. */
  allowance: Allowance;
  ask: () => Promise<EntityStatement>;
  use: (outcome: Retrieved) => void;
}

/** Whatever still waits then is of no use any more. */
const OVER = new Error('the exploration is over');

class Exploration {
  readonly #options: ExplorationOptions;
  readonly #entities = new Map<EntityIdentifier, GraphEntity>();
  #subject: GraphEntity | undefined;
  readonly #end = Promise.withResolvers<void>();
  /** Retrievals beyond the allowance of their branch. */
  #waiting: Retrieval[] = [];
  #underWay = 0;
  #isLooking = false;
  /** Answers came that no look has seen. */
  #isLookDue = false;
  /** Aborts when the exploration ends, so that nothing that was asked for goes on behind its back. */
  readonly #over = new AbortController();

  constructor(options: ExplorationOptions) {
    this.#options = options;
  }

  async from(identifier: EntityIdentifier): Promise<GraphEntity> {
    const { signal, budget } = this.#options;
    const stop = (): void => {
      this.#over.abort(signal.reason);
      this.#end.resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const allowance = Allowance.ofDiscovery(budget.maxStatements);
      const subject = this.#meet(identifier, 0, () => allowance, allowance);
      this.#subject = subject;
      this.#proceedIfIdle();
      await this.#end.promise;
      return subject;
    } finally {
      this.#over.abort(OVER);
      signal.removeEventListener('abort', stop);
      this.#refuseWaiting();
    }
  }

  /** The entity of this name: asked for when it is met for the first time, the same one ever after. */
  #meet(identifier: EntityIdentifier, depth: number, grant: () => Allowance, asking: Allowance): GraphEntity {
    const known = this.#entities.get(identifier);
    if (known !== undefined) {
      this.#meetCloser(known, depth);
      return known;
    }
    const isTrustAnchor = this.#options.trustAnchors.has(identifier);
    const entity: GraphEntity = {
      identifier,
      isTrustAnchor,
      allowance: grant(),
      depth,
      isFollowed: false,
      superiors: [],
      subordinates: [],
      leadsToTrustAnchor: isTrustAnchor,
    };
    this.#entities.set(identifier, entity);
    this.#retrieve({
      allowance: asking,
      ask: () => this.#options.source.entityConfiguration(identifier, this.#over.signal),
      use: (configuration) => {
        entity.configuration = configuration;
        for (const link of entity.subordinates) this.#wantStatement(link);
        this.#followHints(entity);
      },
    });
    return entity;
  }

  /** An entity first met at the end of a long way may have been too deep to go on from; a shorter way mends that. */
  #meetCloser(entity: GraphEntity, depth: number): void {
    if (depth >= entity.depth) return;
    entity.depth = depth;
    if (!entity.isFollowed) this.#followHints(entity);
    else for (const { superior } of entity.superiors) this.#meetCloser(superior, depth + 1);
  }

  #followHints(entity: GraphEntity): void {
    const { budget, trustAnchors } = this.#options;
    const hints = hintsOf(entity);
    if (hints.length === 0 || entity.depth >= budget.maxDepth || isSummit(entity, trustAnchors)) return;
    entity.isFollowed = true;
    const followed = hints.filter((hint, index) => index < budget.maxHintsPerEntity || trustAnchors.has(hint));
    const strangers = followed.filter((hint) => !this.#entities.has(hint)).length;
    const grant = entity.allowance.fork(followed.length + strangers, strangers);
    for (const hint of followed) {
      const superior = this.#meet(hint, entity.depth + 1, grant, entity.allowance);
      const link: GraphLink = { subordinate: entity, superior, isWanted: false };
      entity.superiors.push(link);
      superior.subordinates.push(link);
      if (superior.leadsToTrustAnchor) this.#pursue(link);
    }
  }

  /** A Trust Anchor was met above this link: its statement is wanted, and those of every link below it. */
  #pursue(link: GraphLink): void {
    if (isLoop(link)) return;
    this.#wantStatement(link);
    const { subordinate } = link;
    if (subordinate.leadsToTrustAnchor) return;
    subordinate.leadsToTrustAnchor = true;
    for (const lower of subordinate.subordinates) this.#pursue(lower);
  }

  #wantStatement(link: GraphLink): void {
    const { subordinate, superior } = link;
    const { configuration } = superior;
    if (link.isWanted || isLoop(link) || !superior.leadsToTrustAnchor) return;
    if (configuration === undefined || configuration instanceof FederationError) return;
    link.isWanted = true;
    const { source } = this.#options;
    this.#retrieve({
      allowance: subordinate.allowance,
      ask: () => source.subordinateStatement(configuration, subordinate.identifier, this.#over.signal),
      use: (statement) => {
        link.statement = statement;
      },
    });
  }

  #retrieve(retrieval: Retrieval): void {
    if (this.#over.signal.aborted) return;
    if (retrieval.allowance.take()) this.#start(retrieval);
    else this.#waiting.push(retrieval);
  }

  #start({ ask, use }: Retrieval): void {
    this.#underWay++;
    ask()
      .catch((error: unknown) => {
        if (error instanceof FederationError) return error;
        throw error;
      })
      .then(async (outcome) => {
        if (this.#over.signal.aborted) return;
        use(outcome);
        this.#underWay--;
        this.#proceedIfIdle();
        await this.#look();
      })
      .catch((error: unknown) => this.#end.reject(error));
  }

  /** One look serves all answers that came before it; one more follows for those that came meanwhile. */
  async #look(): Promise<void> {
    const { isEnough } = this.#options;
    this.#isLookDue = true;
    if (this.#isLooking || isEnough === undefined) return;
    this.#isLooking = true;
    // Answers that arrive together are used first.
    await Promise.resolve();
    while (this.#isLookDue && this.#underWay > 0 && !this.#over.signal.aborted) {
      this.#isLookDue = false;
      if (this.#subject !== undefined && (await isEnough(this.#subject))) this.#end.resolve();
    }
    this.#isLooking = false;
  }

  /** When nothing is under way any more, whoever waits may have what nobody else claimed. */
  #proceedIfIdle(): void {
    if (this.#underWay > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const retrieval of waiting) {
      if (retrieval.allowance.takeUnclaimed()) this.#start(retrieval);
      else this.#waiting.push(retrieval);
    }
    if (this.#underWay === 0) this.#end.resolve();
  }

  #refuseWaiting(): void {
    const { maxStatements } = this.#options.budget;
    const message = `the discovery may ask for ${maxStatements} statements; none was left for this one`;
    for (const { use } of this.#waiting) use(new FederationError('budget_exhausted', message));
  }
}

/** No chain passes the subject again, nor an entity twice in a row. Longer loops show only once the graph is known. */
function isLoop({ subordinate, superior }: GraphLink): boolean {
  return superior === subordinate || superior.depth === 0;
}

/** The `authority_hints` of an entity whose configuration was obtained; of any other, none. */
export function hintsOf({ configuration }: GraphEntity): readonly EntityIdentifier[] {
  if (configuration === undefined || configuration instanceof FederationError) return [];
  return configuration.claims.authority_hints ?? [];
}

/** The one Trust Anchor that is configured: above it there is none to look for. */
export function isSummit(entity: GraphEntity, trustAnchors: TrustAnchorSet): boolean {
  return entity.isTrustAnchor && trustAnchors.size === 1;
}
