import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig, SETTINGS } from '../../src/config/config.ts';
import { DEFAULT_DISCOVERY_BUDGET } from '../../src/federation/trust-chain/discovery-budget.ts';
import { DEFAULT_BACKGROUND_BUDGET } from '../../src/http/federation/background-evaluations.ts';
import { DEFAULT_ANONYMOUS_POLICY, DEFAULT_AUTHENTICATED_POLICY } from '../../src/http/federation/rate-limits.ts';
import {
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_MAX_CONNECTIONS_PER_HOST,
  DEFAULT_MAX_RESPONSE_BYTES,
} from '../../src/outbound/outbound-client.ts';
import {
  DEFAULT_MAX_AGE_SECONDS,
  DEFAULT_MAX_CACHE_BYTES,
  DEFAULT_REFUSAL_SECONDS,
} from '../../src/resolver/resolution-cache.ts';
import { DEFAULT_RESOLUTION_TIMEOUT_MS } from '../../src/resolver/resolver.ts';
import {
  DEFAULT_FAILURE_SECONDS,
  DEFAULT_FRESH_SECONDS,
  DEFAULT_MAX_FRESH_SECONDS,
  DEFAULT_STATEMENT_CACHE_BYTES,
} from '../../src/resolver/statement-cache.ts';
import { DEFAULT_STATUS_CACHE_SECONDS, DEFAULT_STATUS_REFUSAL_SECONDS } from '../../src/resolver/trust-mark-status.ts';
import { DEFAULT_TRUST_MARK_BUDGET } from '../../src/resolver/trust-marks.ts';

const MIB = 1024 * 1024;

/** Defaults by variable, as the README's tables have them. */
const documented = new Map<string, string>();
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const [, configuration = ''] = readme.split('\n## Configuration\n');
for (const [, names = '', value = ''] of configuration.matchAll(
  /^\| (`[A-Z0-9_]+`(?:, `[A-Z0-9_]+`)*) \| (.*?) ?\|/gm,
)) {
  for (const [, name = ''] of names.matchAll(/`(\w+)`/g)) documented.set(name, value);
}

describe('the tables of settings in the README', () => {
  it('have every setting, and no other', () => {
    expect([...documented.keys()].sort()).toEqual([...SETTINGS].sort());
  });

  it('have the defaults of the configuration', () => {
    const { config } = loadConfig({});
    expect(documented.get('PORT')).toBe(String(config.port));
    expect(documented.get('HOLDFAST_STATEMENT_CACHE_MB')).toBe(String(config.statementCacheBytes / MIB));
    expect(documented.get('HOLDFAST_DATABASE_CONNECTIONS')).toBe(String(config.databaseConnections));
    expect(documented.get('HOLDFAST_RESOLVE_ANONYMOUS')).toBe(config.resolveAnonymous);
  });

  const { maxStatements, maxBytes, maxDepth, maxHintsPerEntity, maxChains } = DEFAULT_DISCOVERY_BUDGET;
  it.each([
    ['HOLDFAST_RESOLVE_TIMEOUT_MS', DEFAULT_RESOLUTION_TIMEOUT_MS],
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', maxStatements],
    ['HOLDFAST_RESOLVE_MAX_MB', maxBytes / MIB],
    ['HOLDFAST_RESOLVE_MAX_DEPTH', maxDepth],
    ['HOLDFAST_RESOLVE_MAX_HINTS', maxHintsPerEntity],
    ['HOLDFAST_RESOLVE_MAX_CHAINS', maxChains],
    ['HOLDFAST_RESOLVE_MAX_TRUST_MARKS', DEFAULT_TRUST_MARK_BUDGET.maxMarks],
    ['HOLDFAST_RESOLVE_MAX_TRUST_MARK_ISSUERS', DEFAULT_TRUST_MARK_BUDGET.maxIssuers],
    ['HOLDFAST_RESOLVE_FRESH_SECONDS', DEFAULT_FRESH_SECONDS],
    ['HOLDFAST_RESOLVE_MAX_FRESH_SECONDS', DEFAULT_MAX_FRESH_SECONDS],
    ['HOLDFAST_RESOLVE_MAX_FRESH_SECONDS', DEFAULT_MAX_AGE_SECONDS],
    ['HOLDFAST_RESOLVE_REFUSAL_SECONDS', DEFAULT_FAILURE_SECONDS],
    ['HOLDFAST_RESOLVE_REFUSAL_SECONDS', DEFAULT_REFUSAL_SECONDS],
    ['HOLDFAST_RESOLVE_REFUSAL_SECONDS', DEFAULT_STATUS_REFUSAL_SECONDS],
    ['HOLDFAST_TRUST_MARK_STATUS_SECONDS', DEFAULT_STATUS_CACHE_SECONDS],
    ['HOLDFAST_RETRIEVED_CACHE_MB', DEFAULT_STATEMENT_CACHE_BYTES / MIB],
    ['HOLDFAST_RESOLUTION_CACHE_MB', DEFAULT_MAX_CACHE_BYTES / MIB],
    ['HOLDFAST_OUTBOUND_CONNECTIONS_PER_HOST', DEFAULT_MAX_CONNECTIONS_PER_HOST],
    ['HOLDFAST_OUTBOUND_CONNECT_TIMEOUT_MS', DEFAULT_CONNECT_TIMEOUT_MS],
    ['HOLDFAST_OUTBOUND_MAX_RESPONSE_KB', DEFAULT_MAX_RESPONSE_BYTES / 1024],
    ['HOLDFAST_RESOLVE_ANONYMOUS_REQUESTS_PER_MINUTE', DEFAULT_BACKGROUND_BUDGET.requestsPerMinute],
    ['HOLDFAST_RESOLVE_ANONYMOUS_MAX_REQUESTS', DEFAULT_BACKGROUND_BUDGET.requestsPerEvaluation],
    ['HOLDFAST_RESOLVE_ANONYMOUS_EVALUATIONS', DEFAULT_BACKGROUND_BUDGET.concurrency],
    ['HOLDFAST_RESOLVE_ANONYMOUS_QUEUE', DEFAULT_BACKGROUND_BUDGET.maxQueued],
    ['HOLDFAST_RESOLVE_ANONYMOUS_REFUSAL_SECONDS', DEFAULT_BACKGROUND_BUDGET.negativeSeconds],
    ['HOLDFAST_RESOLVE_ANONYMOUS_RETRY_SECONDS', DEFAULT_BACKGROUND_BUDGET.unavailableSeconds],
    ['HOLDFAST_RESOLVE_ANONYMOUS_UNITS', DEFAULT_ANONYMOUS_POLICY.units],
    ['HOLDFAST_RESOLVE_AUTHENTICATED_UNITS', DEFAULT_AUTHENTICATED_POLICY.units],
  ])('have the default of %s: %i', (name, value) => {
    expect(documented.get(name)).toBe(String(value));
  });
});
