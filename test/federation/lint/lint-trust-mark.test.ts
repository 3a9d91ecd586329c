import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import {
  lintTrustMark,
  MAX_TRUST_MARK_BYTES,
  MAX_TRUST_MARK_SECONDS,
} from '../../../src/federation/lint/lint-trust-mark.ts';
import { lintTrustMarkDelegation } from '../../../src/federation/lint/lint-trust-mark-delegation.ts';
import { lintTrustMarkStatus, TRUST_MARK_STATUSES } from '../../../src/federation/lint/lint-trust-mark-status.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';
import { AUDITED, delegation } from '../../support/trust-marks.ts';

const RULES = { maxLifetimeSeconds: 3600 };
const federation = await buildFederation({ owner: {}, issuer: {}, op: {} });
const [owner, issuer, op] = ['owner', 'issuer', 'op'].map((name) => federation.id(name));

const MARK: JsonObject = { iss: `${issuer}`, sub: `${op}`, trust_mark_type: AUDITED, iat: NOW, exp: NOW + 3600 };
const DELEGATION: JsonObject = { ...MARK, iss: `${owner}`, sub: `${issuer}` };
const STATUS: JsonObject = { iss: `${issuer}`, iat: NOW, trust_mark: 'a.b.c', status: 'active' };

/** Claims with these in place of the regular ones; undefined leaves a claim out. */
function changed(regular: JsonObject, changes: Record<string, unknown>): JsonObject {
  const entries = Object.entries({ ...regular, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as JsonObject;
}

const mark = (changes: Record<string, unknown> = {}) => refusal(() => lintTrustMark(changed(MARK, changes), RULES));

const delegated = async (tampering: Record<string, unknown> = {}) =>
  await delegation(federation, 'owner', 'issuer', AUDITED, { claims: tampering });

describe('a Trust Mark of ours', () => {
  it('is signed with what it must have, and with all that it may have', async () => {
    expect(mark()).toBe('accepted');
    expect(mark({ exp: undefined })).toBe('accepted');
    expect(mark({ sub: issuer })).toBe('accepted');
    expect(mark({ trust_mark_type: 'urn:example:member' })).toBe('accepted');
    const links = { logo_uri: 'https://issuer.example/logo.png', ref: 'https://issuer.example/about' };
    expect(mark({ ...links, 'ref#sv': 'https://issuer.example/om', level: { of: ['assurance', 3] } })).toBe('accepted');
    expect(mark({ delegation: await delegated() })).toBe('accepted');
    expect(mark({ exp: NOW + MAX_TRUST_MARK_SECONDS })).toBe('accepted');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['[OIDFED-7.1-1] without iss', { iss: undefined }, 'claim_missing at /iss'],
    ['[OIDFED-7.1-1] without sub', { sub: undefined }, 'claim_missing at /sub'],
    ['[OIDFED-7.1-1] without iat', { iat: undefined }, 'claim_missing at /iat'],
    ['[OIDFED-7.1-1] without a type', { trust_mark_type: undefined }, 'claim_missing at /trust_mark_type'],
    ['[OIDFED-7.1-2] of a type that anybody may use', { trust_mark_type: 'member' }, 'lint_failed at /trust_mark_type'],
    ['about no Entity Identifier', { sub: 'https://op.example?x' }, 'entity_identifier_invalid at /sub'],
    ['that ends at once', { exp: NOW }, 'lint_failed at /exp'],
    ['that lives too long', { exp: NOW + MAX_TRUST_MARK_SECONDS + 1 }, 'lint_failed at /exp'],
    ['that ends some day', { exp: 'tomorrow' }, 'claim_invalid at /exp'],
    [
      '[OIDFED-7.1-3] with a logo that is no link',
      { logo_uri: 'data:image/png;base64,AA' },
      'claim_invalid at /logo_uri',
    ],
    ['[OIDFED-7.1-3] with a delegation that is no JWT', { delegation: 'yes' }, 'jwt_malformed at /delegation'],
    ['with more than its status endpoint takes', { note: 'x'.repeat(MAX_TRUST_MARK_BYTES) }, 'lint_failed'],
    ['nested deeper than readers go', { deep: nested(40) }, 'json_too_deep'],
  ])('is not signed %s', (_what, changes, expected) => {
    expect(mark(changes)).toBe(expected);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['to another issuer', { sub: 'https://other.example' }, 'subject_mismatch at /delegation /sub'],
    [
      'of another type',
      { trust_mark_type: 'https://x.example/y' },
      'trust_mark_type_mismatch at /delegation /trust_mark_type',
    ],
    ['from the future', { iat: NOW + 1 }, 'lint_failed at /delegation /iat'],
    ['that ends before the mark', { exp: NOW + 3599 }, 'lint_failed at /delegation /exp'],
  ])('[OIDFED-7.2.2-2] is not signed under a delegation %s', async (_what, claims, expected) => {
    expect(mark({ delegation: await delegated(claims) })).toBe(expected);
  });

  it('does not outlive its delegation by having no end', async () => {
    expect(mark({ delegation: await delegated(), exp: undefined })).toBe('lint_failed at /delegation /exp');
    expect(mark({ delegation: await delegated({ exp: undefined }), exp: undefined })).toBe('accepted');
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe('a delegation of ours', () => {
  const lint = (changes: Record<string, unknown> = {}) =>
    refusal(() => lintTrustMarkDelegation(changed(DELEGATION, changes), RULES));

  it('is signed with what it must have', () => {
    expect([lint(), lint({ exp: undefined }), lint({ ref: 'https://owner.example/terms' })]).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ]);
    expect(lintTrustMarkDelegation(DELEGATION, RULES).typ).toBe('trust-mark-delegation+jwt');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['iss', { iss: undefined }, 'claim_missing at /iss'],
    ['sub', { sub: undefined }, 'claim_missing at /sub'],
    ['trust_mark_type', { trust_mark_type: undefined }, 'claim_missing at /trust_mark_type'],
    ['iat', { iat: undefined }, 'claim_missing at /iat'],
    ['an end to come', { exp: NOW }, 'lint_failed at /exp'],
    ['a proper ref', { ref: 'javascript:alert(1)' }, 'claim_invalid at /ref'],
  ])('[OIDFED-7.2.1-1] is not signed without %s', (_what, changes, expected) => {
    expect(lint(changes)).toBe(expected);
  });
});

describe('an answer of ours about a status', () => {
  const lint = (changes: Record<string, unknown> = {}) =>
    refusal(() => lintTrustMarkStatus(changed(STATUS, changes), RULES));

  it('[OIDFED-8.4-5] is signed with one of four statuses', () => {
    for (const status of TRUST_MARK_STATUSES) expect(lint({ status })).toBe('accepted');
    expect(lintTrustMarkStatus(STATUS, RULES).typ).toBe('trust-mark-status-response+jwt');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['without iss', { iss: undefined }, 'claim_missing at /iss'],
    ['without iat', { iat: undefined }, 'claim_missing at /iat'],
    ['without the mark', { trust_mark: undefined }, 'claim_missing at /trust_mark'],
    ['with another status', { status: 'Active' }, 'lint_failed at /status'],
    ['with a subject', { sub: op }, 'lint_failed at /sub'],
    ['with an end', { exp: NOW + 60 }, 'lint_failed at /exp'],
  ])('[OIDFED-8.4-4] is not signed %s', (_what, changes, expected) => {
    expect(lint(changes)).toBe(expected);
  });
});
