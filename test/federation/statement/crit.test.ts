import { describe, expect, it } from 'vitest';
import { STATEMENT_CLAIMS } from '../../../src/federation/statement/entity-statement.ts';
import { checkConfiguration, checkSubordinateStatement } from '../../support/statement-checks.ts';

const KINDS = [
  ['an Entity Configuration', checkConfiguration],
  ['a Subordinate Statement', checkSubordinateStatement],
] as const;

describe.each(KINDS)('crit of %s', (_kind, check) => {
  const understoodClaims = new Set(['color', 'taste']);

  it('[OIDFED-13.4-2] accepts names of claims that the caller understands', () => {
    expect(check({ crit: ['color'], color: 1 }, { understoodClaims })).toBe('accepted');
    expect(check({ crit: ['taste', 'color'], color: null, taste: false }, { understoodClaims })).toBe('accepted');
  });

  it('[OIDFED-13.4-2] refuses the name of a claim that is not understood', () => {
    expect(check({ crit: ['color'], color: 1 })).toBe('crit_not_understood at /crit/0');
    const claims = { crit: ['color', 'smell'], color: 1, smell: 2 };
    expect(check(claims, { understoodClaims })).toBe('crit_not_understood at /crit/1');
    expect(check({ crit: ['Color'], Color: 1 }, { understoodClaims })).toBe('crit_not_understood at /crit/0');
  });

  it.each([
    ['an empty array', []],
    ['null', null],
    ['a string', 'color'],
    ['an object', { color: true }],
    ['an array with a number', ['color', 1]],
    ['an array with null', ['color', null]],
    ['an array in an array', [['color']]],
    ['an array with an empty name', ['color', '']],
    ['a name twice', ['color', 'color']],
  ])('[OIDFED-13.4-2] refuses %s', (_what, crit) => {
    expect(check({ crit, color: 1 }, { understoodClaims })).toBe('crit_invalid at /crit');
  });

  it.each([...STATEMENT_CLAIMS])('[OIDFED-13.4-2] refuses %s, which the standard defines', (name) => {
    const options = { understoodClaims: new Set(['color', name]) };
    expect(check({ crit: ['color', name], color: 1 }, options)).toBe('crit_invalid at /crit/1');
  });

  it('[OIDFED-13.4-2] refuses the name of a claim that is not there', () => {
    expect(check({ crit: ['color'] }, { understoodClaims })).toBe('crit_invalid at /crit/0');
    expect(check({ crit: ['toString'] }, { understoodClaims: new Set(['toString']) })).toBe('crit_invalid at /crit/0');
  });
});
