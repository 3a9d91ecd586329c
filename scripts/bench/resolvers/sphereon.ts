/** Resolutions by `@sphereon/openid-federation-client`; a new client each, since a client keeps what it fetched. */
import { FederationClient, type Jwk } from '@sphereon/openid-federation-client';
import type { JWK } from 'jose';
import type { ColdResolve, ResolvePlan } from './resolve-plan.ts';
import { verifies } from './verify-by-jose.ts';

export function createColdResolve({ subject, trustAnchor }: ResolvePlan): ColdResolve {
  return async () => {
    const client = new FederationClient({ verify: (jwt, key) => verifies(jwt, plain(key)) }, null);
    const { trustChain, errorMessage } = await client.resolveTrustChain(subject, [trustAnchor]);
    if ((trustChain ?? []).length === 0) throw new Error(errorMessage ?? 'found no Trust Chain');
  };
}

/** Its keys are objects of Kotlin, whose members are getters. */
function plain({ kty, crv, x, y, n, e, alg, kid }: Jwk): JWK {
  const members = Object.entries({ kty, crv, x, y, n, e, alg, kid });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined && value !== null)) as JWK;
}
