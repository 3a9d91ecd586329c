/** A resolution explained as plain JSON: everything that was seen, what it was taken for, and who can mend it. */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import { decodeJwt } from '../federation/signature.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';
import type { GraphEntity } from '../federation/trust-chain/superior-graph.ts';
import { type ExplainedEntity, type ExplainedRefusal, explainGraph } from './explained-graph.ts';
import {
  type CharacterBudget,
  type ExplainedMetadata,
  explainMetadata,
  MAX_METADATA_CHARACTERS,
  type TracedMetadata,
} from './explained-metadata.ts';
import type { JudgedChain } from './judged-chains.ts';
import type { Explanation, Resolution, ResolveRequest } from './resolution.ts';
import type { AcceptedTrustMark, RefusedTrustMark } from './trust-marks.ts';
import { issuerAtFault, type Mender, whoCanMend, whoCanMendMark } from './who-can-mend.ts';

export interface ResolutionExplanation {
  subject: EntityIdentifier;
  /** The configured Trust Anchors, in their order. */
  trustAnchors: EntityIdentifier[];
  verdict: 'resolved' | 'refused';
  /** What it resolves to. */
  resolution?: ExplainedResolution;
  /** Why it does not: each way that was tried. */
  attempts?: ExplainedAttempt[];
  /** What was found above the subject. */
  graph: ExplainedEntity;
  /** The chains put together, the chosen one first. */
  chains: ExplainedChain[];
}

export interface ExplainedResolution {
  trustAnchor: EntityIdentifier;
  metadata: Metadata;
  /** Seconds since the epoch. */
  expiresAt: NumericDate;
  oldestAt: NumericDate;
  trustChain: string[];
  trustMarks: AcceptedTrustMark[];
  refusedTrustMarks: ExplainedTrustMark[];
}

export interface ExplainedTrustMark extends RefusedTrustMark {
  whoCanMend: Mender;
}

export interface ExplainedAttempt extends ExplainedRefusal {
  /** The entities walked, from the subject to the one where it ended. */
  chain: EntityIdentifier[];
  /** A whole chain up to a Trust Anchor was refused. */
  complete?: true;
}

export interface ExplainedChain {
  /** From the subject to the Trust Anchor. */
  entities: EntityIdentifier[];
  /** `valid`: another one was chosen. */
  verdict: 'chosen' | 'valid' | 'refused';
  expiresAt?: NumericDate;
  refusal?: ExplainedRefusal;
  metadata: ExplainedMetadata;
}

type Asked = Pick<ResolveRequest, 'subject' | 'trustAnchors'>;

/**
 * Tells what a resolver saw and decided. It decides nothing itself, and gives the same for the same.
 * @param asked what the resolver was asked
 * @example
 * const request = { subject, trustAnchors };
 * const { verdict, graph } = describeExplanation(request, await resolver.explain(request));
 */
export function describeExplanation(asked: Asked, explanation: Explanation): ResolutionExplanation {
  const { subject, trustAnchors } = asked;
  const { outcome, graph, deadEnds } = explanation;
  const resolved = 'resolved' in outcome ? outcome.resolved : undefined;
  const refusalsByStatement = new Map<string, ExplainedRefusal[]>();
  for (const chain of explanation.chains) noteRefusal(chain, refusalsByStatement, asked);
  const tree = explainGraph(graph, {
    refusalsByStatement,
    deadEnds,
    refusal: (attempt, issuer) => explainRefusal(attempt, issuer, asked),
  });
  return {
    subject,
    trustAnchors: [...trustAnchors.keys()],
    verdict: resolved === undefined ? 'refused' : 'resolved',
    ...(resolved === undefined ? {} : { resolution: explainResolution(resolved, graph) }),
    ...('attempts' in outcome ? { attempts: outcome.attempts.map((attempt) => explainAttempt(attempt, asked)) } : {}),
    graph: tree,
    chains: explainChains(explanation.chains, resolved, asked),
  };
}

function explainRefusal(
  { reason, section, at, message, retryable }: Omit<Attempt, 'chain'>,
  issuer: EntityIdentifier,
  { subject, trustAnchors }: Asked,
): ExplainedRefusal {
  const refusal = { reason, section, at, message };
  const mender = whoCanMend(reason, { subject, trustAnchors, issuer });
  return { ...refusal, ...(retryable === true ? { retryable } : {}), whoCanMend: mender };
}

function explainAttempt(attempt: Attempt, asked: Asked): ExplainedAttempt {
  const { chain, complete } = attempt;
  const refusal = explainRefusal(attempt, issuerAtFault(attempt, asked.subject), asked);
  return { chain, ...refusal, ...(complete === true ? { complete } : {}) };
}

/** Notes for the tree which statements a chain was refused for: the one named, or those whose policies refuse. */
function noteRefusal(
  { statements, verdict, metadataSteps }: JudgedChain,
  refusals: Map<string, ExplainedRefusal[]>,
  asked: Asked,
): void {
  if (!('reason' in verdict)) return;
  const [, position, at = ''] = /^ES\[(\d+)\] ?(.*)$/s.exec(verdict.at) ?? [];
  const refusing = metadataSteps.flatMap((step) =>
    step.kind === 'operator' ? step.contributions.flatMap(({ place, isRefusing }) => (isRefusing ? [place] : [])) : [],
  );
  const positions = position === undefined ? refusing.map(positionOf) : [Number(position)];
  for (const index of positions.length === 0 ? [0] : positions) {
    const statement = statements[index];
    if (statement === undefined) continue;
    const place = position === undefined ? verdict.at : at;
    const refusal = explainRefusal({ ...verdict, at: place }, statement.claims.iss, asked);
    const known = refusals.get(statement.jwt) ?? [];
    const isKnown = known.some((other) => other.at === place && other.message === refusal.message);
    if (!isKnown) refusals.set(statement.jwt, [...known, refusal]);
  }
}

function explainResolution(resolved: Resolution, graph: GraphEntity): ExplainedResolution {
  const { trustAnchor, metadata, expiresAt, oldestAt, trustChain, trustMarks, refusedTrustMarks } = resolved;
  const refused = refusedTrustMarks.map((mark): ExplainedTrustMark => {
    const markIssuer = markIssuerOf(mark, graph);
    return { ...mark, whoCanMend: whoCanMendMark(mark.reason, { markIssuer, trustAnchor }) };
  });
  return { trustAnchor, metadata, expiresAt, oldestAt, trustChain, trustMarks, refusedTrustMarks: refused };
}

/** What the mark says of its issuer, true or not; undefined where it says nothing. */
function markIssuerOf({ at }: RefusedTrustMark, { configuration }: GraphEntity): EntityIdentifier | undefined {
  const [, index] = /^\/trust_marks\/(\d+)/.exec(at) ?? [];
  if (index === undefined || configuration === undefined || !('claims' in configuration)) return undefined;
  try {
    const { iss } = decodeJwt(configuration.claims.trust_marks?.[Number(index)]?.trust_mark).claims;
    return typeof iss === 'string' ? (iss as EntityIdentifier) : undefined;
  } catch {
    return undefined;
  }
}

function explainChains(
  chains: readonly JudgedChain[],
  resolved: Resolution | undefined,
  asked: Asked,
): ExplainedChain[] {
  const isChosen = ({ statements }: JudgedChain): boolean =>
    resolved !== undefined &&
    statements.length === resolved.trustChain.length &&
    statements.every(({ jwt }, index) => jwt === resolved.trustChain[index]);
  const chosen = chains.find(isChosen);
  const ordered = [...(chosen === undefined ? [] : [chosen]), ...chains.filter((chain) => chain !== chosen)];
  const budget: CharacterBudget = { left: MAX_METADATA_CHARACTERS };
  return ordered.map((chain) => explainChain(chain, chain === chosen, asked, budget));
}

function explainChain(
  { statements, verdict, metadataSteps }: JudgedChain,
  isChosen: boolean,
  asked: Asked,
  budget: CharacterBudget,
): ExplainedChain {
  const entities = entitiesOf(statements);
  const traced = { steps: metadataSteps, ...tracedBy(statements) };
  if ('reason' in verdict) {
    const refusal = explainRefusal(verdict, issuerAtFault(verdict, asked.subject), asked);
    const metadata = explainMetadata(traced, budget);
    return { entities, verdict: 'refused', refusal, metadata };
  }
  const { expiresAt } = verdict;
  const metadata = explainMetadata({ ...traced, resolved: verdict.metadata }, budget);
  return { entities, verdict: isChosen ? 'chosen' : 'valid', expiresAt, metadata };
}

function entitiesOf(statements: readonly EntityStatement[]): EntityIdentifier[] {
  return [...new Set(statements.map(({ claims }) => claims.iss))];
}

/** What the subject of a chain publishes, and who issued each of the chain's statements. */
export function tracedBy(statements: readonly EntityStatement[]): Pick<TracedMetadata, 'published' | 'issuerAt'> {
  return {
    published: statements[0]?.claims.metadata ?? {},
    issuerAt: (place) => statements[positionOf(place)]?.claims.iss ?? place,
  };
}

/** Position of `ES[2]`; places of steps are all of this kind. */
function positionOf(place: string): number {
  return Number(/^ES\[(\d+)\]/.exec(place)?.[1] ?? 0);
}
