/**
 * What the resolver may spend, how long it waits and what it keeps. Only what was set is here: everything else has its
 * default where it is used, and the README tells it.
 */
import type { z } from 'zod';
import { megabytes, wholeNumber } from './setting-values.ts';

/** Named as the parts that they are handed to name them. */
export interface ResolverConfig {
  /** Wall clock of one resolution, and of any other request to a participant. */
  timeoutMs?: number;
  /** Wall clock of one answer: headers and body. */
  requestTimeoutMs?: number;
  budget: {
    maxStatements?: number;
    maxBytes?: number;
    maxDepth?: number;
    maxHintsPerEntity?: number;
    maxChains?: number;
  };
  trustMarkBudget: { maxMarks?: number; maxIssuers?: number };
  trustMarkStatus: { timeoutMs?: number; cacheSeconds?: number; refusalSeconds?: number };
  /** Statements of others. */
  statements: { maxBytes?: number; freshSeconds?: number; maxFreshSeconds?: number; failureSeconds?: number };
  /** Outcomes. */
  resolutions: { maxBytes?: number; maxAgeSeconds?: number; refusalSeconds?: number };
  outbound: {
    timeoutMs?: number;
    connectTimeoutMs?: number;
    maxConnectionsPerHost?: number;
    maxResponseBytes?: number;
  };
  /** Strangers that anonymous callers ask for. */
  background: {
    requestsPerMinute?: number;
    requestsPerEvaluation?: number;
    concurrency?: number;
    maxQueued?: number;
    negativeSeconds?: number;
    unavailableSeconds?: number;
  };
  /** Requests for what was never obtained. */
  newRequests: { hostPerMinute?: number; authenticatedHostPerMinute?: number; strangersPerMinute?: number };
  /** At a time. */
  evaluations: { maxOfKind?: number; maxOfCaller?: number };
  /** Of each client, in units a minute. */
  quotas: { anonymous: { units?: number }; authenticated: { units?: number } };
}

const KIB = 1024;
const DAY_SECONDS = 86_400;
/** A burst of them is half of a minute's, and an evaluation begins with one at least. */
const MIN_REQUESTS_PER_MINUTE = 2;
/** A question with its evaluation. */
const MIN_UNITS = 11;

const milliseconds = (min: number) => wholeNumber(min, 600_000).optional();
const count = (min: number, max: number) => wholeNumber(min, max).optional();
const seconds = (min: number, max: number) => wholeNumber(min, max).optional();

export const RESOLVER_ENVIRONMENT = {
  HOLDFAST_RESOLVE_TIMEOUT_MS: milliseconds(100),
  HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS: milliseconds(10),
  HOLDFAST_RESOLVE_MAX_STATEMENTS: count(1, 10_000),
  HOLDFAST_RESOLVE_MAX_MB: megabytes(1024).optional(),
  HOLDFAST_RESOLVE_MAX_DEPTH: count(1, 100),
  HOLDFAST_RESOLVE_MAX_HINTS: count(1, 1000),
  HOLDFAST_RESOLVE_MAX_CHAINS: count(1, 1000),
  HOLDFAST_RESOLVE_MAX_TRUST_MARKS: count(0, 1000),
  HOLDFAST_RESOLVE_MAX_TRUST_MARK_ISSUERS: count(0, 1000),
  HOLDFAST_RESOLVE_FRESH_SECONDS: seconds(0, DAY_SECONDS),
  HOLDFAST_RESOLVE_MAX_FRESH_SECONDS: seconds(1, DAY_SECONDS),
  HOLDFAST_RESOLVE_REFUSAL_SECONDS: seconds(0, DAY_SECONDS),
  HOLDFAST_TRUST_MARK_STATUS_SECONDS: seconds(0, DAY_SECONDS),
  HOLDFAST_RETRIEVED_CACHE_MB: megabytes(65_536).optional(),
  HOLDFAST_RESOLUTION_CACHE_MB: megabytes(65_536).optional(),
  HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST: count(1, 1000),
  HOLDFAST_OUTBOUND_CONNECT_TIMEOUT_MS: milliseconds(10),
  HOLDFAST_OUTBOUND_MAX_RESPONSE_KB: wholeNumber(1, 256)
    .transform((kibibytes) => kibibytes * KIB)
    .optional(),
  HOLDFAST_RESOLVE_ANONYMOUS_REQUESTS_PER_MINUTE: count(MIN_REQUESTS_PER_MINUTE, 1_000_000),
  HOLDFAST_RESOLVE_ANONYMOUS_MAX_REQUESTS: count(1, 10_000),
  HOLDFAST_RESOLVE_ANONYMOUS_EVALUATIONS: count(1, 1000),
  HOLDFAST_RESOLVE_ANONYMOUS_QUEUE: count(1, 100_000),
  HOLDFAST_RESOLVE_ANONYMOUS_REFUSAL_SECONDS: seconds(1, DAY_SECONDS),
  HOLDFAST_RESOLVE_ANONYMOUS_RETRY_SECONDS: seconds(1, DAY_SECONDS),
  HOLDFAST_RESOLVE_EVALUATIONS: count(1, 1000),
  HOLDFAST_RESOLVE_EVALUATIONS_PER_CALLER: count(1, 1000),
  HOLDFAST_RESOLVE_HOST_REQUESTS_PER_MINUTE: count(MIN_REQUESTS_PER_MINUTE, 1_000_000),
  HOLDFAST_RESOLVE_AUTHENTICATED_HOST_REQUESTS_PER_MINUTE: count(MIN_REQUESTS_PER_MINUTE, 1_000_000),
  HOLDFAST_RESOLVE_RENEWAL_REQUESTS_PER_MINUTE: count(MIN_REQUESTS_PER_MINUTE, 1_000_000),
  HOLDFAST_RESOLVE_ANONYMOUS_UNITS: count(MIN_UNITS, 1_000_000_000),
  HOLDFAST_RESOLVE_AUTHENTICATED_UNITS: count(MIN_UNITS, 1_000_000_000),
};

type ResolverEnvironment = z.infer<z.ZodObject<typeof RESOLVER_ENVIRONMENT>>;

export function resolverConfigOf(environment: ResolverEnvironment): Readonly<ResolverConfig> {
  const timeoutMs = environment.HOLDFAST_RESOLVE_TIMEOUT_MS;
  const requestTimeoutMs = environment.HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS;
  const maxFreshSeconds = environment.HOLDFAST_RESOLVE_MAX_FRESH_SECONDS;
  const refusalSeconds = environment.HOLDFAST_RESOLVE_REFUSAL_SECONDS;
  return Object.freeze({
    ...given({ timeoutMs, requestTimeoutMs }),
    budget: given({
      maxStatements: environment.HOLDFAST_RESOLVE_MAX_STATEMENTS,
      maxBytes: environment.HOLDFAST_RESOLVE_MAX_MB,
      maxDepth: environment.HOLDFAST_RESOLVE_MAX_DEPTH,
      maxHintsPerEntity: environment.HOLDFAST_RESOLVE_MAX_HINTS,
      maxChains: environment.HOLDFAST_RESOLVE_MAX_CHAINS,
    }),
    trustMarkBudget: given({
      maxMarks: environment.HOLDFAST_RESOLVE_MAX_TRUST_MARKS,
      maxIssuers: environment.HOLDFAST_RESOLVE_MAX_TRUST_MARK_ISSUERS,
    }),
    trustMarkStatus: given({
      timeoutMs: requestTimeoutMs,
      cacheSeconds: environment.HOLDFAST_TRUST_MARK_STATUS_SECONDS,
      refusalSeconds,
    }),
    statements: given({
      maxBytes: environment.HOLDFAST_RETRIEVED_CACHE_MB,
      freshSeconds: environment.HOLDFAST_RESOLVE_FRESH_SECONDS,
      maxFreshSeconds,
      failureSeconds: refusalSeconds,
    }),
    resolutions: given({
      maxBytes: environment.HOLDFAST_RESOLUTION_CACHE_MB,
      maxAgeSeconds: maxFreshSeconds,
      refusalSeconds,
    }),
    outbound: given({
      timeoutMs,
      connectTimeoutMs: environment.HOLDFAST_OUTBOUND_CONNECT_TIMEOUT_MS,
      maxConnectionsPerHost: environment.HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST,
      maxResponseBytes: environment.HOLDFAST_OUTBOUND_MAX_RESPONSE_KB,
    }),
    background: given({
      requestsPerMinute: environment.HOLDFAST_RESOLVE_ANONYMOUS_REQUESTS_PER_MINUTE,
      requestsPerEvaluation: environment.HOLDFAST_RESOLVE_ANONYMOUS_MAX_REQUESTS,
      concurrency: environment.HOLDFAST_RESOLVE_ANONYMOUS_EVALUATIONS,
      maxQueued: environment.HOLDFAST_RESOLVE_ANONYMOUS_QUEUE,
      negativeSeconds: environment.HOLDFAST_RESOLVE_ANONYMOUS_REFUSAL_SECONDS,
      unavailableSeconds: environment.HOLDFAST_RESOLVE_ANONYMOUS_RETRY_SECONDS,
    }),
    newRequests: given({
      hostPerMinute: environment.HOLDFAST_RESOLVE_HOST_REQUESTS_PER_MINUTE,
      authenticatedHostPerMinute: environment.HOLDFAST_RESOLVE_AUTHENTICATED_HOST_REQUESTS_PER_MINUTE,
      strangersPerMinute: environment.HOLDFAST_RESOLVE_RENEWAL_REQUESTS_PER_MINUTE,
    }),
    evaluations: given({
      maxOfKind: environment.HOLDFAST_RESOLVE_EVALUATIONS,
      maxOfCaller: environment.HOLDFAST_RESOLVE_EVALUATIONS_PER_CALLER,
    }),
    quotas: Object.freeze({
      anonymous: given({ units: environment.HOLDFAST_RESOLVE_ANONYMOUS_UNITS }),
      authenticated: given({ units: environment.HOLDFAST_RESOLVE_AUTHENTICATED_UNITS }),
    }),
  });
}

/** Without members that are undefined: they would stand in the place of a default. */
function given<T extends object>(members: T): Readonly<Partial<T>> {
  const present = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.fromEntries(present) as Partial<T>);
}
