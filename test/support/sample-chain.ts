/** A federation with several ways up, one legal chain through it, and what validation says about variants of that chain. */
import { type TrustChainOptions, validateTrustChain } from '../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation } from './federation.ts';
import { refusalOf } from './refusal.ts';

export const federation = await buildFederation({
  summit: {},
  anchor: { superiors: ['summit'] },
  other: {},
  intermediate: { superiors: ['anchor', 'other'], alg: 'RS256' },
  rival: { superiors: ['anchor'], alg: 'Ed25519' },
  op: {
    superiors: ['intermediate'],
    metadata: (issuer) => ({ openid_provider: { issuer, client_registration_types_supported: ['automatic'] } }),
  },
});
/** The Trust Anchor is `anchor`. */
export const OPTIONS: TrustChainOptions = federation.validation('anchor');

/** What validation says: `accepted`, or reason and place. */
export function judged(chain: readonly unknown[], options: TrustChainOptions = OPTIONS): Promise<string> {
  return refusalOf(validateTrustChain(chain, options));
}

/** The chain op – intermediate – anchor: ES[0] to ES[3]. */
export function wholeChain(): Promise<string[]> {
  return federation.chain('op', 'intermediate', 'anchor');
}

/** The whole chain with ES[index] replaced. */
export async function withStatement(index: number, jwt: string | Promise<string>): Promise<string[]> {
  return (await wholeChain()).with(index, await jwt);
}
