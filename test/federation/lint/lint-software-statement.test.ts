import { describe, expect, it } from 'vitest';
import type { HouseRules } from '../../../src/federation/lint/house-rules.ts';
import { lintSoftwareStatement } from '../../../src/federation/lint/lint-software-statement.ts';
import { NOW } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';

const RULES: HouseRules = { maxLifetimeSeconds: 86_400 };

const CLAIMS = {
  ...{ iss: 'https://authority.example', iat: NOW, exp: NOW + 600, jti: 'x', sub: 'app', software_id: 'app' },
  ...{ software_client_id: 'https://rp.example', software_status: 'Active' },
  ...{ org_id: 'organisation', org_name: 'Partner Ltd', org_status: 'Active' },
};

describe('[F14] the lint of a software statement', () => {
  it('lets one pass, as what it is', () => {
    expect(lintSoftwareStatement(CLAIMS, RULES)).toMatchObject({ typ: 'software-statement+jwt' });
  });

  it.each([
    [{ exp: NOW + 601 }, 'lint_failed at /exp'],
    [{ exp: NOW }, 'lint_failed at /exp'],
    [{ iat: null }, 'claim_missing at /iat'],
    [{ jti: '' }, 'claim_missing at /jti'],
    [{ sub: 'https://rp.example' }, 'lint_failed at /sub'],
    [{ org_status: 'Suspended' }, 'lint_failed at /org_status'],
    [{ software_status: 'Pending' }, 'lint_failed at /software_status'],
    [{ org_name: null }, 'claim_missing at /org_name'],
    [{ iss: 'authority' }, 'entity_identifier_invalid at /iss'],
    [{ software_client_id: 'rp' }, 'entity_identifier_invalid at /software_client_id'],
    [{ redirect_uris: ['x'.repeat(300_000)] }, 'lint_failed'],
  ])('refuses %o', (changes, expected) => {
    expect(refusal(() => lintSoftwareStatement({ ...CLAIMS, ...changes }, RULES))).toBe(expected);
  });
});
