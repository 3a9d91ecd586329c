/**
 * `holdfast/resolver`: whether an entity may be trusted, for what, and until when, judged by the relying party itself.
 * It needs no service and no database.
 * @see OIDFED §10, §7.3
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry of the package gathers what it promises; nothing here imports it
import { type EntityIdentifier, parseEntityIdentifier } from '../federation/identifiers.ts';
import { checkJwkSet, type JwkSet } from '../federation/jwk-set.ts';
import type { OperatorRegistry } from '../federation/policy/operator.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { DiscoveryBudget } from '../federation/trust-chain/discovery-budget.ts';
import type { HistoricalKeys } from '../federation/trust-chain/historical-keys.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';
import { parseOutboundAllow } from '../outbound/address-rules.ts';
import { createFetchClient, type Fetch } from '../outbound/fetch-client.ts';
import { createOutboundClient, type OutboundClient } from '../outbound/outbound-client.ts';
import { describeExplanation, type ResolutionExplanation } from './explanation.ts';
import type { ResolveOutcome, ResolveRequest } from './resolution.ts';
import { ResolutionCache } from './resolution-cache.ts';
import { createResolver as createResolverCore, type Resolver as ResolverCore } from './resolver.ts';
import type { StatementCache } from './statement-cache.ts';
import { type LearnedTrustAnchorKeys, type TrustAnchorKeyEvent, TrustAnchorKeys } from './trust-anchor-keys.ts';
import { TrustMarkStatusClient } from './trust-mark-status.ts';
import type { TrustMarkBudget } from './trust-marks.ts';
import { untilAborted } from './until-aborted.ts';

export { FederationError, type Reason } from '../federation/errors.ts';
export type { EntityIdentifier } from '../federation/identifiers.ts';
export type { JsonObject, JsonValue } from '../federation/json.ts';
export type { Jwk, JwkSet } from '../federation/jwk-set.ts';
export type { Metadata } from '../federation/metadata/metadata.ts';
export type { OperatorRegistry, PolicyOperator } from '../federation/policy/operator.ts';
export { createOperatorRegistry } from '../federation/policy/standard-operators.ts';
export type { Clock, NumericDate } from '../federation/time.ts';
export type { Attempt } from '../federation/trust-chain/attempt.ts';
export { DEFAULT_DISCOVERY_BUDGET, type DiscoveryBudget } from '../federation/trust-chain/discovery-budget.ts';
export type { HistoricalKeys } from '../federation/trust-chain/historical-keys.ts';
export type { Fetch, FetchInit } from '../outbound/fetch-client.ts';
export type { ExplainedEntity, ExplainedRefusal, ExplainedStatement } from './explained-graph.ts';
export type { ExplainedMetadata, ExplainedParameter, ParameterStep } from './explained-metadata.ts';
export type { ExplainedAttempt, ExplainedChain, ResolutionExplanation } from './explanation.ts';
export type { Refusal, Resolution, ResolveOutcome } from './resolution.ts';
export { ResolutionCache, type ResolutionCacheOptions } from './resolution-cache.ts';
export { DEFAULT_RESOLUTION_TIMEOUT_MS } from './resolver.ts';
export { StatementCache, type StatementCacheOptions, type StatementStore } from './statement-cache.ts';
export type { LearnedTrustAnchorKeys, TrustAnchorKeyEvent } from './trust-anchor-keys.ts';
export {
  type AcceptedTrustMark,
  DEFAULT_TRUST_MARK_BUDGET,
  type RefusedTrustMark,
  type TrustMarkBudget,
} from './trust-marks.ts';
export type { Mender, MenderRole } from './who-can-mend.ts';

/** A Trust Anchor with the keys that were compared with it out of band. */
export interface TrustAnchor {
  entityIdentifier: string;
  /** Its Federation Entity Keys. Others are learned only from a configuration that one of these signed (§11.2). */
  jwks: JwkSet;
}

export interface ResolverOptions {
  /** Where a Trust Chain may end: a list, or a map of keys by Entity Identifier. At least one. */
  trustAnchors: readonly TrustAnchor[] | ReadonlyMap<string, JwkSet>;
  /** Tells the time, in whole seconds since the epoch; the system's clock by default. */
  clock?: Clock;
  /**
   * Retrieves instead of our own client. Size, time and redirects stay limited, but whom it connects to is for it to
   * guard, and `allow`, `extraCas` and `maxConnectionsPerHost` do not reach it.
   */
  fetch?: Fetch;
  /** Keeps outcomes, and lets callers with one question share its answer; false for neither. 64 MiB by default. */
  cache?: ResolutionCache | false;
  /** Keeps statements of others while they are fresh; may be shared, and have a store. 128 MiB by default. */
  statements?: StatementCache;
  /** Limits of one resolution; what is missing is taken from DEFAULT_DISCOVERY_BUDGET. */
  budget?: Partial<DiscoveryBudget>;
  /** Wall clock of one resolution, 10 s by default: then what was found until then is judged. */
  timeoutMs?: number;
  /** Wall clock of one request, by default a quarter of `timeoutMs`. */
  requestTimeoutMs?: number;
  /** Connections to one host and port at a time, 16 by default. */
  maxConnectionsPerHost?: number;
  /**
   * Hosts, addresses and networks that may be contacted although they are not globally routable, comma-separated:
   * `partner.internal, *.corp.example, 10.0.0.0/8`. Nothing by default.
   */
  allow?: string;
  /** Accept `http` beyond loopback. */
  allowHttp?: boolean;
  /** PEM certificates trusted for https in addition to those that Node trusts. */
  extraCas?: readonly string[];
  /** Sent as `User-Agent`, `holdfast` by default. */
  userAgent?: string;
  /** How far clocks may disagree, in seconds, 30 by default. */
  leewaySeconds?: number;
  /** Claims that you process when a statement names them in `crit`; none by default. */
  understoodClaims?: ReadonlySet<string>;
  /** Metadata policy operators known besides the standard ones; see `createOperatorRegistry`. */
  operators?: OperatorRegistry;
  /** Ask issuers that offer it whether their Trust Marks are still active; true by default. */
  isTrustMarkStatusAsked?: boolean;
  /** Values of `typ` accepted for Trust Marks besides `trust-mark+jwt`. */
  trustMarkTyps?: readonly string[];
  /** Limits for the Trust Marks of one entity; what is missing is taken from DEFAULT_TRUST_MARK_BUDGET. */
  trustMarkBudget?: Partial<TrustMarkBudget>;
  /** Hears that a Trust Anchor has other keys than those pinned: learned ones to pin, or an alarm. */
  onTrustAnchorKeys?: (event: TrustAnchorKeyEvent) => void;
  /**
   * What `onTrustAnchorKeys` told before the last restart with kind `learned`, so that a rollover does not have to begin
   * at the pins again. Keep it as safe as the pins: it counts in their place.
   */
  learnedTrustAnchorKeys?: Iterable<LearnedTrustAnchorKeys>;
}

export interface ResolveOptions {
  /** Which of the resolver's Trust Anchors may be the end; all of them by default. */
  trustAnchors?: readonly string[];
  /** Give what every other valid chain leads to as well, as `alternatives`. */
  isEveryChainWanted?: boolean;
  /** Ends the waiting, with this signal's reason. What others wait for as well goes on. */
  signal?: AbortSignal;
}

export interface VerifyOptions extends Omit<ResolveOptions, 'isEveryChainWanted'> {
  /** The moment to judge by, seconds since the epoch; now by default. Trust Marks are judged for the present only. */
  at?: NumericDate;
  /** Keys that the Trust Anchor no longer uses, from `validateHistoricalKeys` of `holdfast/federation`. */
  historicalKeys?: HistoricalKeys;
}

/** Disposing of it breaks off what is under way and closes its connections. */
export interface Resolver extends AsyncDisposable {
  /**
   * Looks for Trust Chains from the subject to the Trust Anchors and judges each. What comes back may be shared with
   * other callers and is not to be changed.
   * @returns `resolved` with metadata, trustChain, trustMarks, trustAnchor and expiresAt (seconds since the epoch); or
   *   `attempts`, each way that was tried, with the reason and section for which it ended
   * @throws FederationError entity_identifier_invalid: the subject is no Entity Identifier
   * @throws TypeError when one of `trustAnchors` is not the resolver's
   */
  resolve(subject: string, options?: ResolveOptions): Promise<ResolveOutcome>;
  /**
   * Resolves anew and tells all that was seen, as plain JSON: the graph of superiors, each statement's verdict, what
   * each superior did to each parameter, and who can mend what was refused. The verdict is that of `resolve`.
   * @throws as `resolve`
   */
  explain(subject: string, options?: Omit<ResolveOptions, 'isEveryChainWanted'>): Promise<ResolutionExplanation>;
  /**
   * Judges a Trust Chain that was handed over, by the same rules; none of its statements is fetched anew.
   * @param subject whom the chain must be about: for the `trust_chain` header of a JWT its issuer, for `peer_trust_chain`
   *   the peer; `trustChainsIn` of `holdfast/federation` takes both from the header
   * @param trustChain compact JWTs, the subject's Entity Configuration first
   * @throws as `resolve`
   */
  verify(subject: string, trustChain: readonly unknown[], options?: VerifyOptions): Promise<ResolveOutcome>;
}

/**
 * Creates a resolver with its own connections and caches. Make one and keep it: what it holds serves the next question.
 * @example
 * await using resolver = createResolver({
 *   trustAnchors: [{ entityIdentifier: 'https://fed.example.org', jwks: pinnedKeys }],
 * });
 * const outcome = await resolver.resolve('https://op.example.edu');
 * if ('resolved' in outcome) use(outcome.resolved.metadata['openid_provider'], outcome.resolved.expiresAt);
 * else for (const { reason, section, message } of outcome.attempts) console.error(reason, `§${section}`, message);
 * @throws FederationError entity_identifier_invalid, jwks_invalid, jwk_private: a Trust Anchor that cannot be one
 * @throws TypeError when there is none, or one twice
 * @throws Error that quotes the bad entry of `allow`
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { clock = SYSTEM_CLOCK, allowHttp = false } = options;
  const anchors = parseTrustAnchors(options.trustAnchors, allowHttp);
  const { cache = new ResolutionCache({ clock }) } = options;
  const outbound = clientOf(options, allowHttp);
  const core = coreOf(options, outbound, clock);
  const resolve = cache === false ? core.resolve : cachedResolve(core, cache);
  return {
    async resolve(given, { trustAnchors, isEveryChainWanted, signal } = {}) {
      signal?.throwIfAborted();
      const subject = parseEntityIdentifier(given, { allowHttp });
      const request = { subject, trustAnchors: chosen(anchors, trustAnchors), isEveryChainWanted, signal };
      return await untilAborted(signal, resolve(request));
    },
    async explain(given, { trustAnchors, signal } = {}) {
      signal?.throwIfAborted();
      const subject = parseEntityIdentifier(given, { allowHttp });
      const request = { subject, trustAnchors: chosen(anchors, trustAnchors), signal };
      return describeExplanation(request, await untilAborted(signal, core.explain(request)));
    },
    async verify(given, trustChain, { trustAnchors, at, historicalKeys, signal } = {}) {
      signal?.throwIfAborted();
      const subject = parseEntityIdentifier(given, { allowHttp });
      const past = { at, historicalKeys };
      const request = { subject, trustAnchors: chosen(anchors, trustAnchors), trustChain, ...past, signal };
      return await untilAborted(signal, core.verify(request));
    },
    [Symbol.asyncDispose]: async () => await outbound[Symbol.asyncDispose](),
  };
}

function coreOf(options: ResolverOptions, outbound: OutboundClient, clock: Clock): ResolverCore {
  const { statements, isTrustMarkStatusAsked = true, trustMarkTyps, trustMarkBudget } = options;
  const { budget, timeoutMs, requestTimeoutMs, onTrustAnchorKeys, learnedTrustAnchorKeys = [] } = options;
  const { understoodClaims, operators } = options;
  const judging = { clock, allowHttp: options.allowHttp, leewaySeconds: options.leewaySeconds };
  const trustMarkStatus = isTrustMarkStatusAsked ? new TrustMarkStatusClient({ outbound, ...judging }) : undefined;
  const trustAnchorKeys = new TrustAnchorKeys(onTrustAnchorKeys);
  trustAnchorKeys.adopt(learnedTrustAnchorKeys);
  const dependencies = { outbound, cache: statements, trustMarkStatus, trustAnchorKeys };
  const limits = { budget, timeoutMs, requestTimeoutMs, trustMarkTyps, trustMarkBudget };
  return createResolverCore({ ...dependencies, ...judging, understoodClaims, operators, ...limits });
}

const SYSTEM_CLOCK: Clock = { now: () => Math.floor(Date.now() / 1000) };

function parseTrustAnchors(given: ResolverOptions['trustAnchors'], allowHttp: boolean): TrustAnchors {
  const anchors: Iterable<readonly [string, JwkSet]> =
    'get' in given ? given : given.map(({ entityIdentifier, jwks }) => [entityIdentifier, jwks] as const);
  const parsed = new Map<EntityIdentifier, JwkSet>();
  for (const [identifier, jwks] of anchors) {
    const trustAnchor = parseEntityIdentifier(identifier, { allowHttp });
    if (parsed.has(trustAnchor)) throw new TypeError(`the Trust Anchor ${trustAnchor} is given twice`);
    parsed.set(trustAnchor, checkJwkSet(jwks, `${trustAnchor} /jwks`));
  }
  if (parsed.size === 0) throw new TypeError('a resolver needs at least one Trust Anchor');
  return parsed;
}

function chosen(all: TrustAnchors, wanted: readonly string[] | undefined): TrustAnchors {
  if (wanted === undefined) return all;
  const some = new Map([...all].filter(([trustAnchor]) => wanted.includes(trustAnchor)));
  const known = new Set<string>(some.keys());
  const unknown = wanted.find((trustAnchor) => !known.has(trustAnchor));
  if (unknown !== undefined) throw new TypeError(`${unknown} is none of the Trust Anchors of this resolver`);
  if (some.size === 0) throw new TypeError('trustAnchors is empty; leave it out to accept all');
  return some;
}

function clientOf(options: ResolverOptions, allowHttp: boolean): OutboundClient {
  const { fetch, userAgent = 'holdfast', requestTimeoutMs: timeoutMs } = options;
  if (fetch !== undefined) return createFetchClient({ fetch, allowHttp, userAgent, timeoutMs });
  const { extraCas, maxConnectionsPerHost } = options;
  const allow = parseOutboundAllow(options.allow ?? '');
  return createOutboundClient({ allow, allowHttp, userAgent, timeoutMs, extraCas, maxConnectionsPerHost });
}

/** A cache that several resolvers share lets none have what another judged by its own anchors and settings. */
function cachedResolve(core: ResolverCore, cache: ResolutionCache): ResolverCore['resolve'] {
  const id = crypto.randomUUID();
  return async ({ subject, trustAnchors, isEveryChainWanted = false }: ResolveRequest) => {
    const anchors = [...trustAnchors.keys()];
    const scope = JSON.stringify([id, isEveryChainWanted, ...anchors]);
    const key = { scope, subject, trustAnchor: anchors[0] ?? subject };
    const request = { subject, trustAnchors, isEveryChainWanted };
    return await cache.get(key, (evaluation) => core.resolve({ ...request, ...evaluation }));
  };
}
