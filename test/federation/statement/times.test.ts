import { describe, expect, it } from 'vitest';
import {
  checkStatementTimes,
  parseEntityStatement,
  validateEntityConfiguration,
} from '../../../src/federation/statement/validate-statement.ts';
import { DEFAULT_LEEWAY_SECONDS } from '../../../src/federation/time.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { refusal, refusalOf } from '../../support/refusal.ts';

const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });

async function judged(times: { iat?: number; exp?: number }, leewaySeconds?: number): Promise<string> {
  const statement = parseEntityStatement(await federation.configuration('op', { claims: times }));
  return refusal(() => checkStatementTimes(statement, { now: NOW, leewaySeconds }));
}

describe('checkStatementTimes', () => {
  it.each([
    [-1_000_000_000, 'accepted'],
    [0, 'accepted'],
    [29, 'accepted'],
    [30, 'accepted'],
    [30.001, 'statement_not_yet_valid at /iat'],
    [31, 'statement_not_yet_valid at /iat'],
    [1_000_000_000, 'statement_not_yet_valid at /iat'],
  ])('[OIDFED-3.2-5] judges iat %d s from now with the default leeway: %s', async (seconds, expected) => {
    expect(await judged({ iat: NOW + seconds, exp: NOW + 2_000_000_000 })).toBe(expected);
  });

  it.each([
    [1_000_000_000, 'accepted'],
    [1, 'accepted'],
    [0, 'accepted'],
    [-29, 'accepted'],
    [-29.999, 'accepted'],
    [-30, 'statement_expired at /exp'],
    [-31, 'statement_expired at /exp'],
    [-1_000_000_000, 'statement_expired at /exp'],
  ])('[OIDFED-3.2-6] judges exp %d s from now with the default leeway: %s', async (seconds, expected) => {
    expect(await judged({ iat: 0, exp: NOW + seconds })).toBe(expected);
  });

  it('has a leeway of 30 s by default', () => {
    expect(DEFAULT_LEEWAY_SECONDS).toBe(30);
  });

  it('[OIDFED-3.2-5] takes iat to the second without leeway', async () => {
    expect(await judged({ iat: NOW }, 0)).toBe('accepted');
    expect(await judged({ iat: NOW + 1 }, 0)).toBe('statement_not_yet_valid at /iat');
  });

  it('[OIDFED-3.2-6] takes exp to the second without leeway', async () => {
    expect(await judged({ exp: NOW + 1 }, 0)).toBe('accepted');
    expect(await judged({ exp: NOW }, 0)).toBe('statement_expired at /exp');
  });

  it('widens both checks by the leeway given', async () => {
    expect(await judged({ iat: NOW + 300 }, 300)).toBe('accepted');
    expect(await judged({ iat: NOW + 301 }, 300)).toBe('statement_not_yet_valid at /iat');
    expect(await judged({ exp: NOW - 299 }, 300)).toBe('accepted');
    expect(await judged({ exp: NOW - 300 }, 300)).toBe('statement_expired at /exp');
  });

  it('says by how much the clocks differ', async () => {
    const future = parseEntityStatement(await federation.configuration('op', { claims: { iat: NOW + 90 } }));
    const past = parseEntityStatement(await federation.configuration('op', { claims: { exp: NOW - 90 } }));
    expect(() => checkStatementTimes(future, { now: NOW })).toThrow('issued 90 s in the future');
    expect(() => checkStatementTimes(past, { now: NOW })).toThrow('expired 90 s ago');
  });

  it('[OIDFED-3.2-6] is part of every validation', async () => {
    const jwt = await federation.configuration('op');
    const at = (now: number): Promise<string> =>
      refusalOf(validateEntityConfiguration(jwt, federation.id('op'), { now }));
    expect(await at(NOW + 3629)).toBe('accepted');
    expect(await at(NOW + 3630)).toBe('statement_expired at /exp');
    expect(await at(NOW - 30)).toBe('accepted');
    expect(await at(NOW - 31)).toBe('statement_not_yet_valid at /iat');
  });
});
