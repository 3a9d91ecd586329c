import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { refusalOf } from '../../support/refusal.ts';

const federation = await buildFederation({
  anchor: {},
  intermediate: { superiors: ['anchor'], alg: 'RS256' },
  op: { superiors: ['intermediate'], alg: 'Ed25519' },
});
const chain = await federation.chain('op', 'intermediate', 'anchor');
const OPTIONS = federation.validation('anchor');

/** A statement of the chain and a place in it. */
const place = fc
  .nat(chain.length - 1)
  .chain((index) => fc.record({ index: fc.constant(index), position: fc.nat(chain[index]!.length - 1) }));
const base64urlCharacter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.');

function judged(index: number, jwt: string): Promise<string> {
  return refusalOf(validateTrustChain(chain.with(index, jwt), OPTIONS));
}

describe('a valid chain', () => {
  it('[OIDFED-3.2-8] is refused with any single character changed', async () => {
    expect(await judged(0, chain[0]!)).toBe('accepted');
    await fc.assert(
      fc.asyncProperty(place, base64urlCharacter, async ({ index, position }, character) => {
        const jwt = chain[index]!;
        fc.pre(jwt[position] !== character);
        expect(await judged(index, jwt.slice(0, position) + character + jwt.slice(position + 1))).not.toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });

  it('[OIDFED-3.2-8] is refused with the last character of a part changed, where bits could hide', async () => {
    for (const [index, jwt] of chain.entries()) {
      const ends = [jwt.indexOf('.') - 1, jwt.lastIndexOf('.') - 1, jwt.length - 1];
      for (const end of ends) {
        for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
          if (jwt[end] === character) continue;
          expect(await judged(index, jwt.slice(0, end) + character + jwt.slice(end + 1))).not.toBe('accepted');
        }
      }
    }
  });

  it('[OIDFED-3.2-8] is refused with a character inserted, left out or exchanged with the next', async () => {
    await fc.assert(
      fc.asyncProperty(place, base64urlCharacter, async ({ index, position }, character) => {
        const jwt = chain[index]!;
        const [before, at, after] = [jwt.slice(0, position), jwt[position] ?? '', jwt.slice(position + 1)];
        expect(await judged(index, before + character + at + after)).not.toBe('accepted');
        expect(await judged(index, before + after)).not.toBe('accepted');
        fc.pre(after !== '' && at !== after[0]);
        expect(await judged(index, before + after[0] + at + after.slice(1))).not.toBe('accepted');
      }),
      { numRuns: 100 },
    );
  });

  it('[OIDFED-10.4-1] expires at the smallest exp of its statements, whatever they are', async () => {
    const expiry = fc.integer({ min: NOW - 29, max: NOW + 1_000_000 });
    await fc.assert(
      fc.asyncProperty(expiry, expiry, expiry, expiry, async (...expiries) => {
        const [es0, es1, es2, es3] = expiries.map((exp) => ({ claims: { exp } }));
        const statements = await Promise.all([
          federation.configuration('op', es0),
          federation.subordinateStatement('intermediate', 'op', es1),
          federation.subordinateStatement('anchor', 'intermediate', es2),
          federation.configuration('anchor', es3),
        ]);
        expect((await validateTrustChain(statements, OPTIONS)).expiresAt).toBe(Math.min(...expiries));
      }),
      { numRuns: 50 },
    );
  });
});
