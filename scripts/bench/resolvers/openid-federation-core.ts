/** Resolutions by `@openid-federation/core`, which leaves verification to its caller, and connections to `fetch`. */
import { resolveTrustChains } from '@openid-federation/core';
import type { JWK } from 'jose';
import type { ColdResolve, ResolvePlan } from './resolve-plan.ts';
import { verifies } from './verify-by-jose.ts';

export function createColdResolve({ subject, trustAnchor }: ResolvePlan): ColdResolve {
  return async () => {
    const chains = await resolveTrustChains({
      entityId: subject,
      trustAnchorEntityIds: [trustAnchor],
      verifyJwtCallback: ({ jwt, jwk }) => verifies(jwt, jwk as JWK),
    });
    if (chains.length === 0) throw new Error('found no Trust Chain');
  };
}
