import { describe, expect, it } from 'vitest';
import { FederationError, type Reason } from '../../src/federation/errors.ts';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import { type Attempt, attemptOf } from '../../src/federation/trust-chain/attempt.ts';
import { verdictOf } from '../../src/resolver/verdict.ts';

/** An attempt that ended at the subject, or above it. */
function ended(reason: Reason, where: 'subject' | 'above' = 'above'): Attempt {
  const chain = ['https://op.example', 'https://anchor.example'] as EntityIdentifier[];
  return attemptOf(where === 'subject' ? chain.slice(0, 1) : chain, new FederationError(reason, 'in a test'));
}

function complete(reason: Reason): Attempt {
  return { ...ended(reason), complete: true };
}

describe('verdictOf', () => {
  it.each<[string, Attempt[], string]>([
    ['the subject does not exist', [ended('entity_not_found', 'subject')], 'not_found'],
    ['a superior does not exist', [ended('entity_not_found')], 'invalid_trust_chain'],
    ['the subject could not be reached', [ended('connection_failed', 'subject')], 'temporarily_unavailable'],
    ["the subject's address is forbidden", [ended('address_forbidden', 'subject')], 'invalid_trust_chain'],
    ["the subject's configuration is expired", [ended('statement_expired', 'subject')], 'invalid_trust_chain'],
    ["the subject's metadata is broken", [ended('metadata_null', 'subject')], 'invalid_metadata'],
    [
      'all chains fail for policy',
      [complete('policy_conflict'), complete('policy_essential_missing')],
      'invalid_metadata',
    ],
    [
      'one chain fails for policy, one for time',
      [complete('policy_conflict'), complete('statement_expired')],
      'invalid_trust_chain',
    ],
    [
      'all chains fail for policy, a branch is foreign',
      [ended('trust_anchor_unknown'), complete('policy_conflict')],
      'invalid_metadata',
    ],
    [
      'all chains fail for policy, a branch is down',
      [ended('timed_out'), complete('policy_conflict')],
      'invalid_metadata',
    ],
    [
      'a chain fails for time, a branch is down',
      [ended('timed_out'), complete('statement_expired')],
      'temporarily_unavailable',
    ],
    [
      'a branch has broken metadata, another is suspended',
      [ended('metadata_null'), ended('subject_not_active')],
      'invalid_trust_chain',
    ],
    ['a superior answers 503', [ended('server_unavailable')], 'temporarily_unavailable'],
    ['a limit was met', [ended('budget_exhausted')], 'temporarily_unavailable'],
    ['the subject is suspended', [ended('subject_not_active')], 'invalid_trust_chain'],
    ['an identifier is malformed', [ended('entity_identifier_invalid')], 'invalid_trust_chain'],
    ['nothing is known', [], 'invalid_trust_chain'],
  ])('%s', (_, attempts, verdict) => {
    expect(verdictOf(attempts)).toBe(verdict);
    expect(verdictOf(attempts.toReversed())).toBe(verdict);
  });
});
