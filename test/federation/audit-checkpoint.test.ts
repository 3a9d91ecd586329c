import { describe, expect, it } from 'vitest';
import { parseAuditCheckpoint } from '../../src/federation/audit-checkpoint.ts';
import type { FederationError } from '../../src/federation/errors.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import { lintAuditCheckpoint } from '../../src/federation/lint/lint-audit-checkpoint.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { NOW } from '../support/federation.ts';
import { signJwt, testKey } from '../support/keys.ts';

const RULES = { allowHttp: false, maxLifetimeSeconds: 3600 };
const CLAIMS: JsonObject = { iss: 'https://fed.example', iat: NOW, seq: 42, hash: `${'a'.repeat(42)}A`, rows: 57 };

const WRONG: [string, JsonObject, string][] = [
  ['an issuer that is no Entity Identifier', { iss: 'fed.example' }, 'entity_identifier_invalid at /iss'],
  ['no time', { iat: 'today' }, 'claim_missing at /iat'],
  ['a seq below 0', { seq: -1 }, 'claim_invalid at /seq'],
  ['half a row', { rows: 0.5 }, 'claim_invalid at /rows'],
  ['a seq that is a string', { seq: '42' }, 'claim_invalid at /seq'],
  ['a hash of another length', { hash: 'abc' }, 'claim_invalid at /hash'],
  ['a hash with stray bits', { hash: 'a'.repeat(43) }, 'claim_invalid at /hash'],
];

function refusalOf(error: unknown): string {
  const { reason, at } = error as FederationError;
  return `${reason} at ${at}`;
}

function outcome(work: () => unknown): string {
  try {
    work();
    return 'passed';
  } catch (error) {
    return refusalOf(error);
  }
}

describe('a checkpoint of the audit', () => {
  it('is signed as a document of its own type', () => {
    const linted = lintAuditCheckpoint(CLAIMS, RULES);
    expect(linted.typ).toBe('audit-checkpoint+jwt');
    expect(JSON.parse(linted.spend())).toEqual(CLAIMS);
  });

  it.each(WRONG)('is not signed with %s', (_, claims, refusal) => {
    expect(outcome(() => lintAuditCheckpoint({ ...CLAIMS, ...claims }, RULES))).toBe(refusal);
  });

  it.each(['seq', 'rows'])('is not signed without %s', (claim) => {
    const { [claim]: _, ...claims } = CLAIMS;
    expect(outcome(() => lintAuditCheckpoint(claims, RULES))).toBe(`claim_missing at /${claim}`);
  });

  it('is not signed with anything else in it', () => {
    expect(outcome(() => lintAuditCheckpoint({ ...CLAIMS, sub: 'x' }, RULES))).toBe('lint_failed at /sub');
  });

  it('is read back, and nothing of another type or shape', async () => {
    const key = await testKey('ES256', 1);
    const jwt = await signJwt(key, TYP.auditCheckpoint, CLAIMS);
    expect(parseAuditCheckpoint(jwt, RULES).claims).toEqual(CLAIMS);
    const statement = await signJwt(key, TYP.entityStatement, CLAIMS);
    expect(outcome(() => parseAuditCheckpoint(statement, RULES))).toBe('typ_invalid at header/typ');
    for (const [, claims, refusal] of WRONG) {
      const wrong = await signJwt(key, TYP.auditCheckpoint, { ...CLAIMS, ...claims });
      expect(outcome(() => parseAuditCheckpoint(wrong, RULES))).toBe(refusal);
    }
  });
});
