import { describe, expect, it } from 'vitest';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation, LIFETIME_SECONDS, NOW } from '../../support/federation.ts';
import { refusalOf } from '../../support/refusal.ts';

const federation = await buildFederation({
  anchor: {},
  intermediate: { superiors: ['anchor'] },
  op: { superiors: ['intermediate'] },
});
const OPTIONS = federation.validation('anchor');

/** The chain op – intermediate – anchor with an `exp` for each statement. */
function chainWithExpiries([es0, es1, es2, es3]: readonly number[]): Promise<string[]> {
  return Promise.all([
    federation.configuration('op', { claims: { exp: es0 } }),
    federation.subordinateStatement('intermediate', 'op', { claims: { exp: es1 } }),
    federation.subordinateStatement('anchor', 'intermediate', { claims: { exp: es2 } }),
    federation.configuration('anchor', { claims: { exp: es3 } }),
  ]);
}

describe('expiresAt', () => {
  it.each([0, 1, 2, 3])('[OIDFED-10.4-1] is the exp of ES[%d] when it is the smallest', async (index) => {
    const expiries = [9, 9, 9, 9].map((hours) => NOW + hours * 3600).with(index, NOW + 60);
    const { expiresAt } = await validateTrustChain(await chainWithExpiries(expiries), OPTIONS);
    expect(expiresAt).toBe(NOW + 60);
  });

  it('[OIDFED-10.4-1] counts the configuration of the Trust Anchor only where it is part of the chain', async () => {
    const chain = await chainWithExpiries([NOW + 500, NOW + 400, NOW + 300, NOW + 200]);
    expect((await validateTrustChain(chain, OPTIONS)).expiresAt).toBe(NOW + 200);
    expect((await validateTrustChain(chain.slice(0, -1), OPTIONS)).expiresAt).toBe(NOW + 300);
  });

  it('[OIDFED-10.4-1] of a Trust Anchor alone is that of its configuration', async () => {
    const { expiresAt } = await validateTrustChain(await federation.chain('anchor'), OPTIONS);
    expect(expiresAt).toBe(NOW + LIFETIME_SECONDS);
  });

  it('[OIDFED-10.4-1] is the last moment at which the chain is valid, but for the leeway', async () => {
    const chain = await chainWithExpiries([NOW + 400, NOW + 300, NOW + 500, NOW + 600]);
    const { expiresAt } = await validateTrustChain(chain, OPTIONS);
    const judgedAt = (now: number): Promise<string> =>
      refusalOf(validateTrustChain(chain, { ...OPTIONS, now, leewaySeconds: 0 }));
    expect(await judgedAt(expiresAt - 1)).toBe('accepted');
    expect(await judgedAt(expiresAt)).toBe('statement_expired at ES[1] /exp');
  });
});
