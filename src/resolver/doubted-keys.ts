/** Entities that seem to have changed their keys since we asked, so that what we know of them does not fit. */
import { FederationError, type Reason } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Discovery } from '../federation/trust-chain/discover.ts';
import type { GraphEntity } from '../federation/trust-chain/superior-graph.ts';
import type { JudgedChain } from './judged-chains.ts';

/** What an old configuration and a new statement look like together, or the other way around. */
const UNFITTING: ReadonlySet<Reason> = new Set(['key_not_found', 'signature_invalid', 'trust_anchor_key_unknown']);

/** An entity that signs with keys which are not known of it, and all that tells which keys it has. */
export interface DoubtedEntity {
  identifier: EntityIdentifier;
  /** Its configuration, and what its superiors say of it. */
  witnesses: EntityStatement[];
}

/**
 * Entities that issued a statement which the keys known of them do not verify.
 * @see OIDFED §11.1 an entity that changes its keys without a time of overlap
 */
export function doubtedEntities({ graph }: Discovery, chains: readonly JudgedChain[]): DoubtedEntity[] {
  const issuers = new Set(chains.flatMap(unfittingIssuers));
  const entities = entitiesOf(graph);
  for (const { superiors } of entities) {
    for (const { superior, statement } of superiors) {
      if (statement instanceof FederationError && UNFITTING.has(statement.reason)) issuers.add(superior.identifier);
    }
  }
  return entities
    .filter(({ identifier }) => issuers.has(identifier))
    .map(({ identifier, configuration, superiors }) => ({
      identifier,
      witnesses: [configuration, ...superiors.map(({ statement }) => statement)].filter(isStatement),
    }));
}

/** Issuers of statements whose `kid` the next statement does not list, and of the one that did not verify. */
function unfittingIssuers({ statements, verdict }: JudgedChain): EntityIdentifier[] {
  if (!('reason' in verdict) || !UNFITTING.has(verdict.reason)) return [];
  return statements
    .filter(({ header }, index) => {
      const listed = statements[index + 1]?.claims.jwks;
      const isListed = listed === undefined || listed.keys.some(({ kid }) => kid === header.kid);
      return !isListed || verdict.at.split(' ')[0] === `ES[${index}]`;
    })
    .map(({ claims }) => claims.iss);
}

function entitiesOf(graph: GraphEntity): GraphEntity[] {
  const found = new Set([graph]);
  for (const { superiors } of found) for (const { superior } of superiors) found.add(superior);
  return [...found];
}

function isStatement(retrieved: GraphEntity['configuration']): retrieved is EntityStatement {
  return retrieved !== undefined && !(retrieved instanceof FederationError);
}

/** Since when statements by and about entities count, in one resolution. */
export class Doubts {
  readonly #doubt: (entity: EntityIdentifier) => NumericDate;
  readonly #retrievedAt: (statement: EntityStatement) => NumericDate | undefined;
  readonly #since = new Map<string, NumericDate>();

  /** @param doubt see StatementCache */
  constructor(
    doubt: (entity: EntityIdentifier) => NumericDate,
    retrievedAt: (statement: EntityStatement) => NumericDate | undefined,
  ) {
    this.#doubt = doubt;
    this.#retrievedAt = retrievedAt;
  }

  /** @returns the entities for which newer statements could mend it: each only once */
  raise(doubted: readonly DoubtedEntity[], now: NumericDate): ReadonlySet<string> {
    const raised = new Set<string>();
    for (const { identifier, witnesses } of doubted) {
      const isOlderThan = (time: NumericDate) =>
        witnesses.some((statement) => (this.#retrievedAt(statement) ?? time) < time);
      if (this.#since.has(identifier) || !isOlderThan(now)) continue;
      const since = this.#doubt(identifier);
      if (!isOlderThan(since)) continue;
      this.#since.set(identifier, since);
      raised.add(identifier);
    }
    return raised;
  }

  /** For what these entities say and what is said of them; 0 where nothing is doubted. */
  since(...entities: readonly EntityIdentifier[]): NumericDate {
    return Math.max(0, ...entities.map((entity) => this.#since.get(entity) ?? 0));
  }
}
