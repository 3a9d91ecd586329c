/** The graph of superiors as a tree that ends, whatever the graph's shape. */

import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JsonObject } from '../federation/json.ts';
import { type OlderName, olderNamesIn } from '../federation/older-drafts.ts';
import type { NumericDate } from '../federation/time.ts';
import { type Attempt, attemptOf } from '../federation/trust-chain/attempt.ts';
import type { GraphEntity, GraphLink, Retrieved } from '../federation/trust-chain/superior-graph.ts';
import { RefusedStatement } from './refused-statement.ts';
import { issuerAtFault, type Mender } from './who-can-mend.ts';

/** A hostile graph can have many entities; beyond this many it is only said how many more an entity names. */
export const MAX_SHOWN_ENTITIES = 500;

/** Why something was refused, and who can mend it. */
export interface ExplainedRefusal {
  reason: Attempt['reason'];
  /** Section of OpenID Federation 1.0 that demands the refusal. */
  section: string;
  at: string;
  message: string;
  /** The network or a server failed: the same may succeed later. */
  retryable?: true;
  whoCanMend: Mender;
}

/**
 * A statement of the graph. `accepted`: obtained, and no chain was refused for it. `not_asked`: no Trust Anchor was
 * met above it, or a limit was.
 */
export interface ExplainedStatement {
  issuer: EntityIdentifier;
  subject: EntityIdentifier;
  verdict: 'accepted' | 'refused' | 'not_asked';
  /** Seconds since the epoch. */
  iat?: NumericDate;
  exp?: NumericDate;
  kid?: string;
  alg?: string;
  refusals: ExplainedRefusal[];
  /** What in it has a name of older drafts, and so is not understood. */
  olderNames?: readonly OlderName[];
}

/** An entity with its superiors; each entity is shown once, as near to the subject as it was met. */
export interface ExplainedEntity {
  entity: EntityIdentifier;
  isTrustAnchor: boolean;
  configuration: ExplainedStatement;
  /** Why the way ends here, or a hint was not used. */
  ends: ExplainedRefusal[];
  /** In the order of `authority_hints`. */
  superiors: ExplainedSuperior[];
  /** Superiors beyond those that are shown. */
  omittedSuperiors?: number;
}

export interface ExplainedSuperior {
  /** The superior's Subordinate Statement. */
  statement: ExplainedStatement;
  superior: ExplainedEntity | EntityReference;
}

/** Stands for an entity that is shown elsewhere. */
export interface EntityReference {
  reference: EntityIdentifier;
  /** It stands below, on the way from the subject. */
  isLoop: boolean;
}

export interface GraphNotes {
  /** What the chains were refused for, by the compact JWT of the statement at fault. */
  refusalsByStatement: ReadonlyMap<string, readonly ExplainedRefusal[]>;
  deadEnds: readonly Attempt[];
  /** @param issuer of the statement at fault */
  refusal(attempt: Omit<Attempt, 'chain'>, issuer: EntityIdentifier): ExplainedRefusal;
}

export function explainGraph(subject: GraphEntity, notes: GraphNotes): ExplainedEntity {
  return new Tree(subject, notes).entity(subject);
}

const HINTS = 'Entity Configuration /authority_hints';

class Tree {
  readonly #notes: GraphNotes;
  /** The link under which each entity is shown: the first one by which a walk in breadth meets it. */
  readonly #home = new Map<GraphEntity, GraphLink | undefined>();
  readonly #ends = new Map<EntityIdentifier, ExplainedRefusal[]>();
  readonly #way = new Set<GraphEntity>();

  constructor(subject: GraphEntity, notes: GraphNotes) {
    this.#notes = notes;
    this.#home.set(subject, undefined);
    // A Map gives what is added while it is walked.
    for (const entity of this.#home.keys()) {
      for (const link of entity.superiors) {
        if (this.#home.size < MAX_SHOWN_ENTITIES && !this.#home.has(link.superior)) this.#home.set(link.superior, link);
      }
    }
    for (const attempt of notes.deadEnds) this.#noteEnd(attempt, subject.identifier);
  }

  #noteEnd(attempt: Attempt, subject: EntityIdentifier): void {
    if (attempt.at !== '' && !attempt.at.startsWith(HINTS)) return;
    const entity = issuerAtFault(attempt, subject);
    this.#ends.set(entity, [...(this.#ends.get(entity) ?? []), this.#notes.refusal(attempt, entity)]);
  }

  entity(entity: GraphEntity): ExplainedEntity {
    const { identifier, isTrustAnchor, configuration, superiors } = entity;
    this.#way.add(entity);
    const shown = superiors.filter(({ superior }) => this.#home.has(superior));
    const explained: ExplainedEntity = {
      entity: identifier,
      isTrustAnchor,
      configuration: this.#statement(identifier, identifier, configuration, true),
      ends: this.#ends.get(identifier) ?? [],
      superiors: shown.map((link) => this.#superior(link)),
    };
    this.#way.delete(entity);
    const omittedSuperiors = superiors.length - shown.length;
    return omittedSuperiors === 0 ? explained : { ...explained, omittedSuperiors };
  }

  #superior(link: GraphLink): ExplainedSuperior {
    const { subordinate, superior, isWanted } = link;
    const isHome = this.#home.get(superior) === link;
    return {
      statement: this.#statement(superior.identifier, subordinate.identifier, link.statement, isWanted),
      superior: isHome ? this.entity(superior) : { reference: superior.identifier, isLoop: this.#way.has(superior) },
    };
  }

  #statement(
    issuer: EntityIdentifier,
    subject: EntityIdentifier,
    retrieved: Retrieved | undefined,
    isWanted: boolean,
  ): ExplainedStatement {
    const outcome = retrieved ?? (isWanted ? noAnswer() : undefined);
    if (outcome === undefined) return { issuer, subject, verdict: 'not_asked', refusals: [] };
    if (outcome instanceof FederationError) {
      const refusals = [this.#notes.refusal(attemptOf([], outcome), issuer)];
      const olderNames = outcome instanceof RefusedStatement ? outcome.olderNames : [];
      return { issuer, subject, verdict: 'refused', refusals, ...(olderNames.length > 0 && { olderNames }) };
    }
    const { jwt, claims, header } = outcome;
    const refusals = [...(this.#notes.refusalsByStatement.get(jwt) ?? [])];
    const verdict = refusals.length === 0 ? 'accepted' : 'refused';
    const olderNames = olderNamesIn(claims as JsonObject);
    return {
      ...{ issuer, subject, verdict },
      ...{ iat: claims.iat, exp: claims.exp, kid: header.kid, alg: header.alg },
      refusals,
      ...(olderNames.length > 0 && { olderNames }),
    };
  }
}

function noAnswer(): FederationError {
  return new FederationError('timed_out', 'no answer came before the time for the whole discovery was up');
}
