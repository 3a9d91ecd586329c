import { describe, expect, it } from 'vitest';
import { parseEntityStatement } from '../../../src/federation/statement/validate-statement.ts';
import { buildFederation } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';
import { checkConfiguration, checkSubordinateStatement } from '../../support/statement-checks.ts';

const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });
const jwks = federation.jwks('anchor');

const ENTITY_CONFIGURATION_ONLY: [string, unknown][] = [
  ['authority_hints', ['https://anchor.example']],
  ['trust_anchor_hints', ['https://anchor.example']],
  ['trust_marks', []],
  ['trust_mark_issuers', { 'https://anchor.example/mark': ['https://anchor.example'] }],
  ['trust_mark_owners', { 'https://anchor.example/mark': { sub: 'https://anchor.example', jwks } }],
];

const SUBORDINATE_STATEMENT_ONLY: [string, unknown][] = [
  ['metadata_policy', { openid_provider: { contacts: { add: ['ops@anchor.example'] } } }],
  ['constraints', { max_path_length: 1 }],
  ['source_endpoint', 'https://anchor.example/fetch'],
];

describe('claims of one kind of statement', () => {
  it.each(ENTITY_CONFIGURATION_ONLY)('[OIDFED-3.2-9] takes %s in an Entity Configuration only', (claim, value) => {
    expect(checkConfiguration({ [claim]: value })).toBe('accepted');
    expect(checkSubordinateStatement({ [claim]: value })).toBe(`claim_forbidden at /${claim}`);
    expect(checkSubordinateStatement({ [claim]: null })).toBe(`claim_forbidden at /${claim}`);
  });

  it.each(SUBORDINATE_STATEMENT_ONLY)('[OIDFED-3.2-10] takes %s in a Subordinate Statement only', (claim, value) => {
    expect(checkSubordinateStatement({ [claim]: value })).toBe('accepted');
    expect(checkConfiguration({ [claim]: value })).toBe(`claim_forbidden at /${claim}`);
    expect(checkConfiguration({ [claim]: null })).toBe(`claim_forbidden at /${claim}`);
  });

  it('[OIDFED-3.2-10] refuses metadata_policy_crit in an Entity Configuration', () => {
    expect(checkConfiguration({ metadata_policy_crit: ['regexp'] })).toBe('claim_forbidden at /metadata_policy_crit');
  });

  it('[OIDFED-3.2-3] goes by iss and sub, code point by code point', () => {
    const hints = { authority_hints: ['https://anchor.example'] };
    expect(checkSubordinateStatement({ ...hints, iss: 'https://op.example' })).toBe('accepted');
    for (const almost of ['https://op.example/', 'https://OP.example', 'https://op.example:443']) {
      expect(checkConfiguration({ ...hints, iss: almost })).toBe('claim_forbidden at /authority_hints');
    }
  });

  it.each(['aud', 'trust_anchor'])('[OIDFED-3.2-13] refuses %s, which belongs to registration', (claim) => {
    expect(checkConfiguration({ [claim]: 'https://anchor.example' })).toBe(`claim_forbidden at /${claim}`);
    expect(checkSubordinateStatement({ [claim]: 'https://anchor.example' })).toBe(`claim_forbidden at /${claim}`);
  });
});

describe('headers of Trust Chains', () => {
  it.each(['trust_chain', 'peer_trust_chain'])('[OIDFED-4.3-1] refuses a statement with a %s header', async (name) => {
    const header = { [name]: await federation.chain('op', 'anchor') };
    const configuration = await federation.configuration('op', { header });
    const statement = await federation.subordinateStatement('anchor', 'op', { header });
    expect(refusal(() => parseEntityStatement(configuration))).toBe(`header_parameter_forbidden at header/${name}`);
    expect(refusal(() => parseEntityStatement(statement))).toBe(`header_parameter_forbidden at header/${name}`);
    const empty = await federation.configuration('op', { header: { [name]: null } });
    expect(refusal(() => parseEntityStatement(empty))).toBe(`header_parameter_forbidden at header/${name}`);
  });
});
