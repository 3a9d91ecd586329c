/** Resolves entities: discovers Trust Chains, validates each, and gives what follows from the best. @see OIDFED §10 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { OperatorRegistry } from '../federation/policy/operator.ts';
import { verifySignature } from '../federation/signature.ts';
import {
  type EntityStatement,
  isEntityConfiguration,
  type TrustMarkEntry,
} from '../federation/statement/entity-statement.ts';
import type { ValidationOptions } from '../federation/statement/validate-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { attemptOf } from '../federation/trust-chain/attempt.ts';
import { orderTrustChains } from '../federation/trust-chain/choose-trust-chain.ts';
import { type Discovery, discoverTrustChains } from '../federation/trust-chain/discover.ts';
import { completeBudget, type DiscoveryBudget } from '../federation/trust-chain/discovery-budget.ts';
import { withHistoricalKeys } from '../federation/trust-chain/historical-keys.ts';
import type { TrustAnchors, TrustChain } from '../federation/trust-chain/trust-chain.ts';
import { validateTrustChain } from '../federation/trust-chain/validate-trust-chain.ts';
import { statusEndpointOf } from '../federation/trust-mark/status-endpoint.ts';
import { Deadline } from '../outbound/deadline.ts';
import { CountingClient, type RequestLimits } from './counting-client.ts';
import { Doubts, doubtedEntities } from './doubted-keys.ts';
import { createHttpStatementSource, type HttpGet } from './http-statement-source.ts';
import { type JudgedChain, JudgedChains, validOf } from './judged-chains.ts';
import type { Explanation, Resolution, ResolveOutcome, ResolveRequest, VerificationRequest } from './resolution.ts';
import { StatementAges } from './statement-ages.ts';
import { StatementCache } from './statement-cache.ts';
import { dependencyKey, type OwnAuthorities, type RememberingSource, rememberingSource } from './statement-source.ts';
import { type TrustAnchorKeyEvent, TrustAnchorKeys } from './trust-anchor-keys.ts';
import type { TrustMarkStatusClient } from './trust-mark-status.ts';
import {
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
  /** Claims that the caller processes when a statement names them in `crit`. */
  understoodClaims?: ReadonlySet<string>;
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
  readonly #chains: JudgedChains;
  /** When the first mark of an authority of ours ends by itself: then what rests on it does. */
  #ownMarksEnd: NumericDate = Number.POSITIVE_INFINITY;

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
    const { trustAnchors, isTraced = false } = request;
    this.#chains = new JudgedChains({ trustAnchors, keys, validation, isTraced });
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
    const { allowHttp = false, leewaySeconds, understoodClaims, operators } = this.#options;
    return { now, allowHttp, leewaySeconds, understoodClaims, operators };
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
      mayDecide(chain) && validOf(await this.#chains.judge([chain])).length > 0;
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
      return { discovery, chains: await this.#chains.judge(discovery.chains), isCut };
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
        const own = await client.confirmOwn(question.mark);
        if (own !== undefined) {
          this.#ownMarksEnd = Math.min(this.#ownMarksEnd, own.activeUntil ?? Number.POSITIVE_INFINITY);
          return undefined;
        }
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
      expiresAt: Math.min(chain.expiresAt, this.#ownMarksEnd, ...accepted.map(({ expiresAt }) => expiresAt)),
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
