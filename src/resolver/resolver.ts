/** Resolves entities: discovers Trust Chains, validates each, and gives what follows from the best. @see OIDFED §10 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Metadata } from '../federation/metadata/metadata.ts';
import type { OperatorRegistry } from '../federation/policy/operator.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { ValidationOptions } from '../federation/statement/validate-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { type Attempt, attemptOf } from '../federation/trust-chain/attempt.ts';
import { chooseTrustChain } from '../federation/trust-chain/choose-trust-chain.ts';
import { discoverTrustChains } from '../federation/trust-chain/discover.ts';
import type { DiscoveryBudget } from '../federation/trust-chain/discovery-budget.ts';
import type { TrustAnchors, TrustChain } from '../federation/trust-chain/trust-chain.ts';
import { validateTrustChain } from '../federation/trust-chain/validate-trust-chain.ts';
import { Deadline } from '../outbound/deadline.ts';
import { createHttpStatementSource, type HttpGet } from './http-statement-source.ts';
import { createStatementSource, type OwnAuthorities } from './statement-source.ts';

export const DEFAULT_RESOLUTION_TIMEOUT_MS = 10_000;

export interface ResolverOptions {
  /** Retrieves the statements of others. */
  outbound: HttpGet;
  /** Answers for the authorities of this deployment, instead of a request to ourselves. */
  ownAuthorities?: OwnAuthorities;
  clock: Clock;
  /** Limits of one discovery; what is missing is the default. */
  budget?: Partial<DiscoveryBudget>;
  /** Wall clock of one discovery. */
  timeoutMs?: number;
  /** Accept `http` identifiers and endpoints of any host; on loopback they are accepted anyway. */
  allowHttp?: boolean;
  /** Widens every check of time, in seconds. */
  leewaySeconds?: number;
  /** Metadata policy operators known besides the standard ones. */
  operators?: OperatorRegistry;
}

export interface ResolveRequest {
  subject: EntityIdentifier;
  /** Where a chain may end, with the keys pinned for each. */
  trustAnchors: TrustAnchors;
  /** Ends discovery early; what was found until then is judged. */
  signal?: AbortSignal;
  /** Hears, before it is asked, of everything that the outcome will rest on. */
  onDependency?: (key: string) => void;
}

/** An entity that a Trust Anchor vouches for. */
export interface Resolution {
  subject: EntityIdentifier;
  trustAnchor: EntityIdentifier;
  /** Resolved Metadata: superior's metadata, constraints and policies applied. */
  metadata: Metadata;
  /** Compact JWTs from the subject's Entity Configuration to the Trust Anchor's, always included. */
  trustChain: string[];
  /** The smallest `exp` of the chain, seconds since the epoch. */
  expiresAt: NumericDate;
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

export type ResolveOutcome = { resolved: Resolution } | Refusal;

export interface Resolver {
  /** @throws whatever `ownAuthorities` fails with: an outage of our own is no verdict about the subject */
  resolve(request: ResolveRequest): Promise<ResolveOutcome>;
}

/**
 * Creates a resolver. It holds no state: each call discovers anew.
 * @example
 * const resolver = createResolver({ outbound, clock });
 * const outcome = await resolver.resolve({ subject, trustAnchors: new Map([[anchor, pinnedKeys]]) });
 * if ('resolved' in outcome) use(outcome.resolved.metadata);
 * else explain(outcome.attempts);
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { allowHttp = false, leewaySeconds, operators } = options;
  const validation = (): ValidationOptions => ({ now: options.clock.now(), allowHttp, leewaySeconds, operators });
  return {
    async resolve(request) {
      const dependencies = new Set<string>();
      const outbound = new CountingClient(options.outbound);
      const source = createStatementSource({
        ownAuthorities: options.ownAuthorities,
        remote: createHttpStatementSource({ outbound, validation }),
        validation,
        onDependency: (key) => {
          dependencies.add(key);
          request.onDependency?.(key);
        },
      });
      const { chains, attempts } = await discover(request, source, options);
      const judged = await judge(chains, { ...validation(), trustAnchors: request.trustAnchors });
      const chosen = chooseTrustChain(judged.valid);
      if (chosen !== undefined) return { resolved: resolutionOf(chosen, dependencies) };
      return { attempts: [...attempts, ...judged.attempts], requests: outbound.requests };
    },
  };
}

class CountingClient implements HttpGet {
  requests = 0;
  readonly #client: HttpGet;

  constructor(client: HttpGet) {
    this.#client = client;
  }

  readonly get: HttpGet['get'] = (url, options) => {
    this.requests++;
    return this.#client.get(url, options);
  };
}

async function discover(
  { subject, trustAnchors, signal }: ResolveRequest,
  source: ReturnType<typeof createStatementSource>,
  { budget, timeoutMs = DEFAULT_RESOLUTION_TIMEOUT_MS }: ResolverOptions,
): ReturnType<typeof discoverTrustChains> {
  using deadline = new Deadline({
    timeoutMs,
    outer: signal,
    expired: () => new FederationError('timed_out', `not resolved within ${timeoutMs} ms`),
  });
  return await discoverTrustChains(subject, { source, trustAnchors, budget, signal: deadline.signal });
}

/** Validates every candidate for itself, so that none spoils another (§10.3). */
async function judge(
  chains: readonly EntityStatement[][],
  options: Parameters<typeof validateTrustChain>[1],
): Promise<{ valid: TrustChain[]; attempts: Attempt[] }> {
  const verdicts = await Promise.all(chains.map((chain) => validated(chain, options)));
  return {
    valid: verdicts.filter((verdict) => 'statements' in verdict),
    attempts: verdicts.filter((verdict) => 'reason' in verdict),
  };
}

async function validated(
  chain: EntityStatement[],
  options: Parameters<typeof validateTrustChain>[1],
): Promise<TrustChain | Attempt> {
  try {
    return await validateTrustChain(
      chain.map(({ jwt }) => jwt),
      options,
    );
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const way = new Set(chain.map(({ claims }) => claims.iss));
    return { ...attemptOf(way, error), complete: true };
  }
}

function resolutionOf(chain: TrustChain, dependencies: Iterable<string>): Resolution {
  const { subject, trustAnchor, metadata, expiresAt } = chain;
  const trustChain = chain.statements.map(({ jwt }) => jwt);
  return { subject, trustAnchor, metadata, trustChain, expiresAt, dependencies: [...dependencies] };
}
