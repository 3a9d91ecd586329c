/** What a resolver is asked, and what it answers. @see OIDFED §10 */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { NumericDate } from '../federation/time.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';
import type { HistoricalKeys } from '../federation/trust-chain/historical-keys.ts';
import type { GraphEntity } from '../federation/trust-chain/superior-graph.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';
import type { OnRequest } from './counting-client.ts';
import type { JudgedChain } from './judged-chains.ts';
import type { AcceptedTrustMark, RefusedTrustMark } from './trust-marks.ts';

export interface ResolveRequest {
  subject: EntityIdentifier;
  /** Where a chain may end, with the keys pinned for each. */
  trustAnchors: TrustAnchors;
  /** Ends discovery early; what was found until then is judged. */
  signal?: AbortSignal;
  /** Ask again for statements that will soon be stale, so that the outcome outlives the one there is. */
  isRefresh?: boolean;
  /** Give what the other valid chains lead to as well. */
  isEveryChainWanted?: boolean;
  /** Choose by Trust Anchor first, in the order of `trustAnchors`; by default the chains alone decide. */
  isTrustAnchorOrderBinding?: boolean;
  /** Hears, before it is asked, of everything that the outcome will rest on. */
  onDependency?: (key: string) => void;
  onRequest?: OnRequest;
}

/** An entity that a Trust Anchor vouches for. */
export interface Resolution {
  subject: EntityIdentifier;
  trustAnchor: EntityIdentifier;
  /** Resolved Metadata: superior's metadata, constraints and policies applied. */
  metadata: Metadata;
  /** Compact JWTs from the subject's Entity Configuration to the Trust Anchor's, always included. */
  trustChain: string[];
  /** Marks that were verified, of types and by issuers that the Trust Anchor recognises. */
  trustMarks: AcceptedTrustMark[];
  /** Marks of the Entity Configuration that do not count, each with its reason. */
  refusedTrustMarks: RefusedTrustMark[];
  /** The smallest `exp` of the chain and of all that `trustMarks` rest on, seconds since the epoch. */
  expiresAt: NumericDate;
  /** When the oldest statement of the chain was retrieved, seconds since the epoch. */
  oldestAt: NumericDate;
  /** From then on a statement of the chain should be asked for again, although none may have expired. */
  freshUntil: NumericDate;
  /** What was asked in the course of it, unfavourable answers included: see `dependencyKey`. */
  dependencies: string[];
}

/** No valid chain: what failed where. */
export interface Refusal {
  /** At least one. See `verdictOf` for what a resolve endpoint makes of them. */
  attempts: Attempt[];
  /** Requests that were sent to others. */
  requests: number;
}

/** `alternatives`: what the other valid chains lead to, in the order of the choice, if every chain was wanted. */
export type ResolveOutcome = { resolved: Resolution; alternatives?: Resolution[] } | Refusal;

/** An outcome with all that led to it. */
export interface Explanation {
  outcome: ResolveOutcome;
  /** The subject with all that was found above it. */
  graph: GraphEntity;
  /** Branches that ended below a Trust Anchor, and limits that were met, whatever the outcome. */
  deadEnds: Attempt[];
  chains: JudgedChain[];
}

/** A chain that was handed over: in a `trust_chain` header, a body, or a resolve response. */
export interface VerificationRequest
  extends Omit<ResolveRequest, 'isRefresh' | 'isEveryChainWanted' | 'isTrustAnchorOrderBinding'> {
  /** Compact JWTs, ES[0] first; see handed-over.ts for what they come in. */
  trustChain: readonly unknown[];
  /** The moment to judge by, seconds since the epoch; now if absent. Trust Marks are judged for the present only. */
  at?: NumericDate;
  /** Keys that the Trust Anchor no longer uses (§8.7), already verified. They say nothing without `at`. */
  historicalKeys?: HistoricalKeys;
}
