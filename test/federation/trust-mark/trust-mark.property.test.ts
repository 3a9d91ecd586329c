import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateTrustMark } from '../../../src/federation/trust-mark/validate-trust-mark.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { refusalOf } from '../../support/refusal.ts';
import { AUDITED, configurationOf, delegation, entry, recognise, trustMark } from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  owner: { superiors: ['anchor'], alg: 'RS256' },
  issuer: { superiors: ['anchor'] },
  op: { superiors: ['anchor'] },
});
recognise(federation, { issuers: { [AUDITED]: ['issuer'] }, owners: { [AUDITED]: 'owner' } });
const trustAnchor = await configurationOf(federation, 'anchor');
const context = { bearer: federation.id('op'), trustAnchor, now: NOW, issuerKeys: federation.jwks('issuer') };
const permission = await delegation(federation, 'owner', 'issuer');
const mark = await withDelegation(permission);

function withDelegation(jwt: string): Promise<string> {
  return trustMark(federation, 'issuer', 'op', AUDITED, { claims: { delegation: jwt } });
}

/** Refusals are FederationErrors; anything else fails the test. */
function judged(jwt: string): Promise<string> {
  return refusalOf(validateTrustMark(entry(jwt, AUDITED), context));
}

function changed(jwt: string, position: number, character: string): string {
  return jwt.slice(0, position) + character + jwt.slice(position + 1);
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const character = fc.oneof(
  fc.constantFrom(...BASE64URL, '.'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);

describe('a valid Trust Mark', () => {
  it('[OIDFED-7.3-5] is refused with any single character changed', async () => {
    expect(await judged(mark)).toBe('accepted');
    await fc.assert(
      fc.asyncProperty(fc.nat(mark.length - 1), character, async (position, replacement) => {
        fc.pre(mark[position] !== replacement);
        expect(await judged(changed(mark, position, replacement))).not.toBe('accepted');
      }),
      { numRuns: 400 },
    );
  });

  it('[OIDFED-7.3-5] is refused with the last character of a part changed, where bits could hide', async () => {
    for (const end of [mark.indexOf('.') - 1, mark.lastIndexOf('.') - 1, mark.length - 1]) {
      for (const replacement of BASE64URL) {
        if (mark[end] === replacement) continue;
        expect(await judged(changed(mark, end, replacement))).not.toBe('accepted');
      }
    }
  });

  it('[OIDFED-7.2.2-3] is refused with any single character of its delegation changed, though its issuer signed that', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(permission.length - 1), character, async (position, replacement) => {
        fc.pre(permission[position] !== replacement);
        const verdict = await judged(await withDelegation(changed(permission, position, replacement)));
        expect(verdict).toMatch(/^\w+ at \/delegation/);
      }),
      { numRuns: 200 },
    );
  });

  it('[OIDFED-7.3-2] is never mistaken in whatever else stands in its place', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.base64String(), fc.json()), async (text) => {
        expect(await judged(text)).not.toBe('accepted');
        expect(await judged(`${text}${mark.slice(mark.indexOf('.'))}`)).not.toBe('accepted');
      }),
      { numRuns: 200 },
    );
  });
});
