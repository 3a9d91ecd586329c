/** Resolves entities: discovers Trust Chains, validates each, and gives what follows from the best. @see OIDFED §10 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { MetadataStep } from '../federation/metadata/metadata-trace.ts';
import type { OperatorRegistry } from '../federation/policy/operator.ts';
import { verifySignature } from '../federation/signature.ts';
import {
  type EntityStatement,
  isEntityConfiguration,
  type TrustMarkEntry,
} from '../federation/statement/entity-statement.ts';
import type { ValidationOptions } from '../federation/statement/validate-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { type Attempt, attemptOf } from '../federation/trust-chain/attempt.ts';
import { orderTrustChains } from '../federation/trust-chain/choose-trust-chain.ts';
import { type Discovery, discoverTrustChains } from '../federation/trust-chain/discover.ts';
import { completeBudget, type DiscoveryBudget } from '../federation/trust-chain/discovery-budget.ts';
import { type HistoricalKeys, withHistoricalKeys } from '../federation/trust-chain/historical-keys.ts';
import type { GraphEntity } from '../federation/trust-chain/superior-graph.ts';
import type { TrustAnchors, TrustChain } from '../federation/trust-chain/trust-chain.ts';
import { validateParsedTrustChain, validateTrustChain } from '../federation/trust-chain/validate-trust-chain.ts';
import { statusEndpointOf } from '../federation/trust-mark/status-endpoint.ts';
import { Deadline } from '../outbound/deadline.ts';
import { CountingClient, type OnRequest, type RequestLimits } from './counting-client.ts';
import { Doubts, doubtedEntities } from './doubted-keys.ts';
import { createHttpStatementSource, type HttpGet } from './http-statement-source.ts';
import { StatementAges } from './statement-ages.ts';
import { StatementCache } from './statement-cache.ts';
import { dependencyKey, type OwnAuthorities, type RememberingSource, rememberingSource } from './statement-source.ts';
import { type TrustAnchorKeyEvent, TrustAnchorKeys } from './trust-anchor-keys.ts';
import type { TrustMarkStatusClient } from './trust-mark-status.ts';
import {
  type AcceptedTrustMark,
  type RefusedTrustMark,
  type ResolvedIssuer,
  type TrustMarkBudget,
  type VerifiedTrustMarks,
  verifyTrustMarks,
} from './trust-marks.ts';

export const DEFAULT_RESOLUTION_TIMEOUT_MS = 10_000;

export interface ResolverOptions {
  /** Retrieves the statements of others. */
  outbound: HttpGet;
  /** Answers for the authorities of this deployment, instead of a request to ourselves. */
  ownAuthorities?: OwnAuthorities;
  clock: Clock;
  /** Statements of others, shared by all resolvers that are given it; one of its own by default. */
  cache?: StatementCache;
  /** Limits of one discovery; what is missing is the default. */
  budget?: Partial<DiscoveryBudget>;
  /** Wall clock of one resolution. */
  timeoutMs?: number;
  /** Wall clock of one answer; by default a quarter of that, so that silent servers leave time for others. */
  requestTimeoutMs?: number;
  /** Accept `http` identifiers and endpoints of any host; on loopback they are accepted anyway. */
  allowHttp?: boolean;
  /** Widens every check of time, in seconds. */
  leewaySeconds?: number;
  /** Metadata policy operators known besides the standard ones. */
  operators?: OperatorRegistry;
  /** Asks issuers about their Trust Marks; without it the marks speak for themselves. */
  trustMarkStatus?: TrustMarkStatusClient;
  /** Values of `typ` accepted for Trust Marks besides `trust-mark+jwt`. */
  trustMarkTyps?: readonly string[];
  trustMarkBudget?: Partial<TrustMarkBudget>;
  /** Hears that a Trust Anchor has other keys than those pinned. */
  onTrustAnchorKeys?: (event: TrustAnchorKeyEvent) => void;
  /** Remembers which keys those are, and tells of them instead of `onTrustAnchorKeys`; one of its own by default. */
  trustAnchorKeys?: TrustAnchorKeys;
}

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

/** A chain that was put together, and what became of it. */
export interface JudgedChain {
  statements: EntityStatement[];
  verdict: TrustChain | Attempt;
  /** What each superior did to the subject's metadata, in order; none was taken if the chain failed before. */
  metadataSteps: MetadataStep[];
}

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

export interface Resolver {
  /** @throws whatever `ownAuthorities` fails with: an outage of our own is no verdict about the subject */
  resolve(request: ResolveRequest): Promise<ResolveOutcome>;
  /** As `resolve`, with all that was seen. */
  explain(request: ResolveRequest): Promise<Explanation>;
  /** Judges a chain that was handed over exactly as one that was fetched (§12.1.1.1.2). */
  verify(request: VerificationRequest): Promise<ResolveOutcome>;
}

interface Found {
  discovery: Discovery;
  chains: JudgedChain[];
  /** The time was over before all was known. */
  isCut: boolean;
}

interface RunRequest extends ResolveRequest {
  /** Keep the steps by which metadata is resolved. */
  isTraced?: boolean;
}

/**
 * Creates a resolver. Each call discovers anew, with statements that are fresh in the cache or asked for.
 * @example
 * const resolver = createResolver({ outbound, clock });
 * const outcome = await resolver.resolve({ subject, trustAnchors: new Map([[anchor, pinnedKeys]]) });
 * if ('resolved' in outcome) use(outcome.resolved.metadata);
 * else explain(outcome.attempts);
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { clock } = options;
  const cache = options.cache ?? new StatementCache({ clock });
  const keys = options.trustAnchorKeys ?? new TrustAnchorKeys(options.onTrustAnchorKeys);
  return {
    resolve: async (request) => (await new Run(options, cache, keys, request).resolve()).outcome,
    explain: (request) => new Run(options, cache, keys, { ...request, isTraced: true }).resolve(),
    verify: (request) => new Run(options, cache, keys, request).verify(request),
  };
}

/** One resolution from its question to its outcome. */
class Run {
  readonly #options: ResolverOptions;
  readonly #request: RunRequest;
  readonly #keys: TrustAnchorKeys;
  readonly #outbound: CountingClient;
  readonly #source: RememberingSource;
  readonly #dependencies = new Set<string>();
  readonly #ages: StatementAges;
  readonly #doubts: Doubts;
  /** By the statements of the chain. */
  readonly #judged = new Map<string, Promise<JudgedChain>>();

  constructor(options: ResolverOptions, cache: StatementCache, keys: TrustAnchorKeys, request: RunRequest) {
    this.#options = options;
    this.#request = request;
    this.#keys = keys;
    this.#outbound = new CountingClient(options.outbound, requestLimitsOf(options), request.onRequest);
    this.#ages = new StatementAges(options.clock.now());
    this.#doubts = new Doubts(
      (entity) => cache.doubt(entity),
      (statement) => this.#ages.retrievedAt(statement),
    );
    const validation = () => this.#validation();
    this.#source = rememberingSource({
      ownAuthorities: options.ownAuthorities,
      remote: createHttpStatementSource({
        outbound: this.#outbound,
        cache,
        validation,
        isRefresh: request.isRefresh ?? false,
        since: ({ issuer, subject }) => this.#doubts.since(issuer, subject),
        onObtained: (obtained) => this.#ages.note(obtained),
      }),
      validation,
      onDependency: (key) => this.#noteDependency(key),
    });
  }

  #noteDependency(key: string): void {
    this.#dependencies.add(key);
    this.#request.onDependency?.(key);
  }

  async resolve(): Promise<Explanation> {
    const { subject, trustAnchors, isEveryChainWanted = false } = this.#request;
    using deadline = this.#deadline();
    const { signal } = deadline;
    const { timeoutMs = DEFAULT_RESOLUTION_TIMEOUT_MS } = this.#options;
    // The rest is left for the Trust Marks of what was found, however slow other branches are.
    const { discovery, chains } = await this.#find(subject, trustAnchors, signal, timeoutMs * DISCOVERY_SHARE);
    const [chosen, ...others] = this.#inOrder(validOf(chains));
    const found = { graph: discovery.graph, deadEnds: discovery.attempts, chains };
    if (chosen === undefined) {
      const attempts = [
        ...discovery.attempts,
        ...chains.flatMap(({ verdict }) => ('reason' in verdict ? verdict : [])),
      ];
      return { ...found, outcome: { attempts, requests: this.#outbound.requests } };
    }
    const resolved = await this.#resolution(chosen, signal);
    if (!isEveryChainWanted) return { ...found, outcome: { resolved } };
    const alternatives = await Promise.all(others.map((chain) => this.#resolution(chain, signal)));
    return { ...found, outcome: { resolved, alternatives } };
  }

  async verify({ trustChain, at, historicalKeys }: VerificationRequest): Promise<ResolveOutcome> {
    const { subject, trustAnchors } = this.#request;
    using deadline = this.#deadline();
    const believed = this.#keys.believed(trustAnchors);
    const isPast = at !== undefined && historicalKeys !== undefined;
    const anchors = isPast ? withHistoricalKeys(trustChain, believed, historicalKeys) : believed;
    try {
      const chain = await validateTrustChain(trustChain, { ...this.#validation(at), trustAnchors: anchors });
      if (chain.subject !== subject) {
        throw new FederationError('subject_mismatch', `must be ${subject}, character by character`, 'ES[0] /sub');
      }
      const marks = at === undefined ? await this.#marks(chain, deadline.signal) : NO_MARKS;
      return { resolved: this.#resolutionOf(chain, marks) };
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return { attempts: [{ ...attemptOf([subject], error), complete: true }], requests: this.#outbound.requests };
    }
  }

  #validation(now = this.#options.clock.now()): ValidationOptions {
    const { allowHttp = false, leewaySeconds, operators } = this.#options;
    return { now, allowHttp, leewaySeconds, operators };
  }

  #deadline(): Deadline {
    const { timeoutMs = DEFAULT_RESOLUTION_TIMEOUT_MS } = this.#options;
    return timeLimit(timeoutMs, this.#request.signal);
  }

  /**
   * Ends as soon as the choice is certain, unless more than that is wanted. Where the order of the Trust Anchors binds,
   * only a chain to the first can make it certain: whatever else is valid comes after that.
   */
  async #discover(subject: EntityIdentifier, trustAnchors: TrustAnchors, signal: AbortSignal): Promise<Discovery> {
    const { budget } = this.#options;
    const { isTraced = false, isEveryChainWanted = false, isTrustAnchorOrderBinding = false } = this.#request;
    const isAllWanted = isTraced || isEveryChainWanted;
    const [preferred] = trustAnchors.keys();
    const mayDecide = (chain: EntityStatement[]) =>
      !isTrustAnchorOrderBinding || chain.at(-1)?.claims.iss === preferred;
    const isValid = async (chain: EntityStatement[]) =>
      mayDecide(chain) && validOf(await this.#judge([chain])).length > 0;
    const options = { source: this.#source, trustAnchors, budget, signal };
    return await discoverTrustChains(subject, isAllWanted ? options : { ...options, isValid });
  }

  /** Looks once more, with newer statements, where entities seem to have changed their keys since we asked. */
  async #find(
    subject: EntityIdentifier,
    anchors: TrustAnchors,
    signal: AbortSignal,
    timeoutMs = this.#options.timeoutMs ?? DEFAULT_RESOLUTION_TIMEOUT_MS,
  ): Promise<Found> {
    const look = async (): Promise<Found> => {
      using deadline = timeLimit(timeoutMs, signal);
      const discovery = await this.#discover(subject, anchors, deadline.signal);
      const isCut = deadline.signal.aborted;
      return { discovery, chains: await this.#judge(discovery.chains), isCut };
    };
    const first = await look();
    if (validOf(first.chains).length > 0 || signal.aborted) return first;
    const doubted = this.#doubts.raise(doubtedEntities(first.discovery, first.chains), this.#options.clock.now());
    if (doubted.size === 0) return first;
    this.#source.forget(doubted);
    const again = await look();
    // That the time was over is not why nothing was found.
    return again.isCut && validOf(again.chains).length === 0 ? first : again;
  }

  /** Validates every candidate for itself, so that none spoils another (§10.3), and once: what was valid stays so. */
  async #judge(candidates: readonly EntityStatement[][]): Promise<JudgedChain[]> {
    await this.#learnKeys(candidates);
    return await Promise.all(
      candidates.map((statements) => {
        const name = statements.map(({ jwt }) => jwt).join(' ');
        const judged = this.#judged.get(name) ?? this.#judgeOne(statements);
        this.#judged.set(name, judged);
        return judged;
      }),
    );
  }

  async #judgeOne(statements: EntityStatement[]): Promise<JudgedChain> {
    const { trustAnchors, isTraced = false } = this.#request;
    const metadataSteps: MetadataStep[] = [];
    const observer = isTraced ? (step: MetadataStep) => void metadataSteps.push(step) : undefined;
    const options = { ...this.#validation(), trustAnchors: this.#keys.believed(trustAnchors), observer };
    return { statements, verdict: await verdictOn(statements, options), metadataSteps };
  }

  /** Every candidate ends with the configuration of its Trust Anchor. */
  async #learnKeys(candidates: readonly EntityStatement[][]): Promise<void> {
    const configurations = new Map(
      candidates.flatMap((chain) => chain.slice(-1)).map((last) => [last.claims.iss, last]),
    );
    for (const [trustAnchor, configuration] of configurations) {
      const pinned = this.#request.trustAnchors.get(trustAnchor);
      if (pinned !== undefined) await this.#keys.learn(configuration, pinned, this.#options.clock.now());
    }
  }

  #inOrder(valid: readonly TrustChain[]): TrustChain[] {
    const ordered = orderTrustChains(valid);
    if (this.#request.isTrustAnchorOrderBinding !== true) return ordered;
    const anchors = [...this.#request.trustAnchors.keys()];
    return ordered.sort((a, b) => anchors.indexOf(a.trustAnchor) - anchors.indexOf(b.trustAnchor));
  }

  async #resolution(chain: TrustChain, signal: AbortSignal): Promise<Resolution> {
    return this.#resolutionOf(chain, await this.#marks(chain, signal));
  }

  async #marks(chain: TrustChain, signal: AbortSignal): Promise<VerifiedTrustMarks> {
    const { trustMarkTyps, trustMarkBudget } = this.#options;
    const [subject] = chain.statements;
    if (subject?.claims.trust_marks === undefined) return NO_MARKS;
    try {
      return await verifyTrustMarks({
        subject,
        trustAnchor: await this.#trustAnchorOf(chain, signal),
        resolveIssuer: (issuer, stop) => this.#resolveIssuer(issuer, chain.trustAnchor, stop ?? signal),
        status: this.#status(),
        validation: { ...this.#validation(), furtherTyps: trustMarkTyps },
        budget: trustMarkBudget,
        signal,
      });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      return { accepted: [], refused: subject.claims.trust_marks.map((mark) => withoutTrustAnchor(mark, error)) };
    }
  }

  /**
   * Questions about marks of others count as requests, also those that the client has an answer to. What our own
   * authorities say holds until the registry changes.
   */
  #status(): Pick<TrustMarkStatusClient, 'confirm'> | 'never' {
    const client = this.#options.trustMarkStatus;
    if (client === undefined) return 'never';
    return {
      confirm: async (question) => {
        const { iss, sub } = question.mark.claims;
        this.#noteDependency(dependencyKey(iss, sub));
        if (await client.confirmOwn(question.mark)) return undefined;
        const url = statusEndpointOf(question.issuer) ?? iss;
        this.#outbound.count(url, client.hasConfirmed(question));
        return await client.confirm(question);
      },
    };
  }

  /** A chain that was handed over may lack its Trust Anchor's configuration. */
  async #trustAnchorOf({ trustAnchor, statements }: TrustChain, signal: AbortSignal): Promise<EntityStatement> {
    const last = statements.at(-1);
    if (last !== undefined && isEntityConfiguration(last.claims)) return last;
    const configuration = await this.#source.entityConfiguration(trustAnchor, signal);
    const believed = this.#keys.believed(this.#request.trustAnchors).get(trustAnchor) ?? { keys: [] };
    await verifySignature(configuration, believed);
    return configuration;
  }

  async #resolveIssuer(
    issuer: EntityIdentifier,
    trustAnchor: EntityIdentifier,
    signal: AbortSignal,
  ): Promise<ResolvedIssuer | FederationError> {
    const pinned = this.#request.trustAnchors.get(trustAnchor) ?? { keys: [] };
    const anchors = new Map([[trustAnchor, pinned]]);
    const { discovery, chains: judged } = await this.#find(issuer, anchors, signal);
    const [chosen] = orderTrustChains(validOf(judged));
    const [configuration] = chosen?.statements ?? [];
    if (chosen !== undefined && configuration !== undefined) {
      this.#ages.noteFurther(chosen.statements);
      return { configuration, expiresAt: chosen.expiresAt };
    }
    const [first] = [...judged.flatMap(({ verdict }) => ('reason' in verdict ? verdict : [])), ...discovery.attempts];
    return new FederationError(
      first?.reason ?? 'no_authority_hints',
      first?.message ?? 'has no Trust Chain',
      first?.at,
    );
  }

  #resolutionOf(chain: TrustChain, { accepted, refused }: VerifiedTrustMarks): Resolution {
    const { subject, trustAnchor, metadata, statements } = chain;
    const ages = this.#ages.of(statements);
    const statusEnds = accepted.flatMap(({ activeUntil }) => activeUntil ?? []);
    const soonest = this.#options.clock.now() + MIN_FRESH_SECONDS;
    if (refused.some(({ retryable }) => retryable)) statusEnds.push(soonest);
    return {
      ...{ subject, trustAnchor, metadata },
      trustChain: statements.map(({ jwt }) => jwt),
      trustMarks: accepted,
      refusedTrustMarks: refused,
      expiresAt: Math.min(chain.expiresAt, ...accepted.map(({ expiresAt }) => expiresAt)),
      oldestAt: ages.oldestAt,
      freshUntil: Math.max(soonest, Math.min(ages.freshUntil, ...statusEnds)),
      dependencies: [...this.#dependencies],
    };
  }
}

/**
 * How long a resolution holds at least, unless it expires: also where a statement must not be kept, or where trouble on
 * the way kept a Trust Mark from counting. Else a subject that is asked for all the time would be resolved all the time.
 */
const MIN_FRESH_SECONDS = 10;

/** Share of a resolution's time in which its chains are to be found. */
const DISCOVERY_SHARE = 0.75;

/** Statements twice over: those of the chains, and those of all Trust Mark issuers. */
function requestLimitsOf({ budget, timeoutMs, requestTimeoutMs }: ResolverOptions): RequestLimits {
  const { maxStatements, maxBytes } = completeBudget(budget);
  const answerTimeoutMs = requestTimeoutMs ?? (timeoutMs ?? DEFAULT_RESOLUTION_TIMEOUT_MS) / 4;
  return { maxRequests: 2 * maxStatements, maxBytes, answerTimeoutMs };
}

function timeLimit(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  return new Deadline({
    timeoutMs,
    outer,
    expired: () => new FederationError('timed_out', `not resolved within ${timeoutMs} ms`),
  });
}

const NO_MARKS: VerifiedTrustMarks = { accepted: [], refused: [] };

/** Nobody can say which marks count while the Trust Anchor's configuration cannot be had. */
function withoutTrustAnchor({ trust_mark_type }: TrustMarkEntry, error: FederationError): RefusedTrustMark {
  const { reason, section, message } = error;
  return { trust_mark_type, reason, section, at: 'Entity Configuration of the Trust Anchor', message, retryable: true };
}

function validOf(chains: readonly JudgedChain[]): TrustChain[] {
  return chains.flatMap(({ verdict }) => ('statements' in verdict ? verdict : []));
}

async function verdictOn(
  chain: EntityStatement[],
  options: Parameters<typeof validateParsedTrustChain>[1],
): Promise<TrustChain | Attempt> {
  try {
    return await validateParsedTrustChain(chain, options);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const way = new Set(chain.map(({ claims }) => claims.iss));
    return { ...attemptOf(way, error), complete: true };
  }
}
