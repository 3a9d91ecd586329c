import { describe, expect, expectTypeOf, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/config.ts';
import type { ResolverConfig } from '../../src/config/resolver-settings.ts';
import type { DiscoveryBudget } from '../../src/federation/trust-chain/discovery-budget.ts';
import type { BackgroundBudget } from '../../src/http/federation/background-evaluations.ts';
import type { EvaluationLimits } from '../../src/http/federation/evaluation-slots.ts';
import type { RateLimitPolicy } from '../../src/http/federation/rate-limits.ts';
import type { NewRequests } from '../../src/http/federation/request-budget.ts';
import type { OutboundClientOptions } from '../../src/outbound/outbound-client.ts';
import type { ResolutionCacheOptions } from '../../src/resolver/resolution-cache.ts';
import type { ResolverOptions } from '../../src/resolver/resolver.ts';
import type { StatementCacheOptions } from '../../src/resolver/statement-cache.ts';
import type { TrustMarkStatusClientOptions } from '../../src/resolver/trust-mark-status.ts';
import type { TrustMarkBudget } from '../../src/resolver/trust-marks.ts';
import { callHoldfast } from '../support/cli.ts';

const resolverOf = (environment: Record<string, string>) => loadConfig(environment).config.resolver;

/** What the environment is refused for. */
function complaints(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const MIB = 1024 * 1024;

describe('the settings of the resolver', () => {
  it('are only those that were set, so that every other has its default where it is used', () => {
    expect(resolverOf({})).toEqual({
      budget: {},
      trustMarkBudget: {},
      trustMarkStatus: {},
      statements: {},
      resolutions: {},
      outbound: {},
      background: {},
      newRequests: {},
      evaluations: {},
      quotas: { anonymous: {}, authenticated: {} },
    });
    expect(Object.keys(resolverOf({}).budget)).toEqual([]);
    expect(Object.keys(resolverOf({ HOLDFAST_RESOLVE_MAX_DEPTH: '' }).budget)).toEqual([]);
  });

  it.each([
    ['HOLDFAST_RESOLVE_TIMEOUT_MS', '2000', { timeoutMs: 2000, outbound: { timeoutMs: 2000 } }],
    ['HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS', '700', { requestTimeoutMs: 700, trustMarkStatus: { timeoutMs: 700 } }],
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', '40', { budget: { maxStatements: 40 } }],
    ['HOLDFAST_RESOLVE_MAX_MB', '2', { budget: { maxBytes: 2 * MIB } }],
    ['HOLDFAST_RESOLVE_MAX_DEPTH', '3', { budget: { maxDepth: 3 } }],
    ['HOLDFAST_RESOLVE_MAX_HINTS', '4', { budget: { maxHintsPerEntity: 4 } }],
    ['HOLDFAST_RESOLVE_MAX_CHAINS', '5', { budget: { maxChains: 5 } }],
    ['HOLDFAST_RESOLVE_MAX_TRUST_MARKS', '0', { trustMarkBudget: { maxMarks: 0 } }],
    ['HOLDFAST_RESOLVE_MAX_TRUST_MARK_ISSUERS', '2', { trustMarkBudget: { maxIssuers: 2 } }],
    ['HOLDFAST_RESOLVE_FRESH_SECONDS', '10', { statements: { freshSeconds: 10 } }],
    [
      'HOLDFAST_RESOLVE_MAX_FRESH_SECONDS',
      '600',
      { statements: { maxFreshSeconds: 600 }, resolutions: { maxAgeSeconds: 600 } },
    ],
    [
      'HOLDFAST_RESOLVE_REFUSAL_SECONDS',
      '1',
      {
        statements: { failureSeconds: 1 },
        resolutions: { refusalSeconds: 1 },
        trustMarkStatus: { refusalSeconds: 1 },
      },
    ],
    ['HOLDFAST_TRUST_MARK_STATUS_SECONDS', '0', { trustMarkStatus: { cacheSeconds: 0 } }],
    ['HOLDFAST_RETRIEVED_CACHE_MB', '7', { statements: { maxBytes: 7 * MIB } }],
    ['HOLDFAST_RESOLUTION_CACHE_MB', '8', { resolutions: { maxBytes: 8 * MIB } }],
    ['HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST', '2', { outbound: { maxConnectionsPerHost: 2 } }],
    ['HOLDFAST_OUTBOUND_CONNECT_TIMEOUT_MS', '300', { outbound: { connectTimeoutMs: 300 } }],
    ['HOLDFAST_OUTBOUND_MAX_RESPONSE_KB', '64', { outbound: { maxResponseBytes: 65_536 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_REQUESTS_PER_MINUTE', '60', { background: { requestsPerMinute: 60 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_MAX_REQUESTS', '9', { background: { requestsPerEvaluation: 9 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_EVALUATIONS', '2', { background: { concurrency: 2 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_QUEUE', '20', { background: { maxQueued: 20 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_REFUSAL_SECONDS', '30', { background: { negativeSeconds: 30 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_RETRY_SECONDS', '3', { background: { unavailableSeconds: 3 } }],
    ['HOLDFAST_RESOLVE_EVALUATIONS', '9', { evaluations: { maxOfKind: 9 } }],
    ['HOLDFAST_RESOLVE_EVALUATIONS_PER_CALLER', '2', { evaluations: { maxOfCaller: 2 } }],
    ['HOLDFAST_RESOLVE_HOST_REQUESTS_PER_MINUTE', '10', { newRequests: { hostPerMinute: 10 } }],
    [
      'HOLDFAST_RESOLVE_AUTHENTICATED_HOST_REQUESTS_PER_MINUTE',
      '20',
      { newRequests: { authenticatedHostPerMinute: 20 } },
    ],
    ['HOLDFAST_RESOLVE_RENEWAL_REQUESTS_PER_MINUTE', '30', { newRequests: { strangersPerMinute: 30 } }],
    ['HOLDFAST_RESOLVE_ANONYMOUS_UNITS', '100', { quotas: { anonymous: { units: 100 } } }],
    ['HOLDFAST_RESOLVE_AUTHENTICATED_UNITS', '200', { quotas: { authenticated: { units: 200 } } }],
  ])('%s=%s', (name, value, expected) => {
    expect(resolverOf({ [name]: value })).toMatchObject(expected);
  });

  it('are named as the parts that are handed them name theirs', () => {
    expectTypeOf<Pick<ResolverConfig, 'timeoutMs' | 'requestTimeoutMs'>>().toExtend<Partial<ResolverOptions>>();
    expectTypeOf<keyof ResolverConfig['budget']>().toExtend<keyof DiscoveryBudget>();
    expectTypeOf<keyof ResolverConfig['trustMarkBudget']>().toExtend<keyof TrustMarkBudget>();
    expectTypeOf<keyof ResolverConfig['trustMarkStatus']>().toExtend<keyof TrustMarkStatusClientOptions>();
    expectTypeOf<keyof ResolverConfig['statements']>().toExtend<keyof StatementCacheOptions>();
    expectTypeOf<keyof ResolverConfig['resolutions']>().toExtend<keyof ResolutionCacheOptions>();
    expectTypeOf<keyof ResolverConfig['outbound']>().toExtend<keyof OutboundClientOptions>();
    expectTypeOf<keyof ResolverConfig['background']>().toExtend<keyof BackgroundBudget>();
    expectTypeOf<keyof ResolverConfig['newRequests']>().toExtend<keyof NewRequests>();
    expectTypeOf<keyof ResolverConfig['evaluations']>().toExtend<keyof EvaluationLimits>();
    expectTypeOf<keyof ResolverConfig['quotas']['anonymous']>().toExtend<keyof RateLimitPolicy>();
  });

  it.each([
    ['HOLDFAST_RESOLVE_TIMEOUT_MS', '99', '100 to 600000'],
    ['HOLDFAST_RESOLVE_TIMEOUT_MS', '600001', '100 to 600000'],
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', '0', '1 to 10000'],
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', '1e3', '1 to 10000'],
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', 'many', '1 to 10000'],
    ['HOLDFAST_RESOLVE_MAX_DEPTH', '-1', '1 to 100'],
    ['HOLDFAST_RESOLVE_MAX_DEPTH', '2.5', '1 to 100'],
    ['HOLDFAST_RETRIEVED_CACHE_MB', '0x10', '1 to 65536'],
    ['HOLDFAST_OUTBOUND_MAX_RESPONSE_KB', '257', '1 to 256'],
    ['HOLDFAST_RESOLVE_ANONYMOUS_UNITS', '10', '11 to 1000000000'],
    ['HOLDFAST_STATEMENT_CACHE_MB', '0', '1 to 65536'],
    ['PORT', '65536', '0 to 65535'],
  ])('refuse %s=%s, and tell the range', (name, value, range) => {
    expect(complaints({ [name]: value })).toEqual([`${name}: must be a whole number from ${range}`]);
  });

  it('are refused all at once', () => {
    expect(complaints({ HOLDFAST_RESOLVE_MAX_DEPTH: '0', HOLDFAST_RESOLVE_MAX_HINTS: '0' })).toHaveLength(2);
  });

  it('keep `holdfast serve` from starting, with every complaint', async () => {
    const env = { HOLDFAST_RESOLVE_MAX_DEPTH: '0', HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST: 'some' };
    const { exitCode, stdout, stderr } = await callHoldfast(['serve'], { env });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('HOLDFAST_RESOLVE_MAX_DEPTH: must be a whole number from 1 to 100');
    expect(stderr).toContain('HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST: must be a whole number from 1 to 1000');
  });

  it('are unknown when they are misspelt', () => {
    expect(complaints({ HOLDFAST_RESOLVE_MAX_DEPHT: '3' })).toEqual([
      'HOLDFAST_RESOLVE_MAX_DEPHT is unknown; check its spelling against the README',
    ]);
  });
});
