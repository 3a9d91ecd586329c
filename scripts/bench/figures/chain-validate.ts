/** What validating a whole Trust Chain costs beyond its bare signatures. @see OIDFED §10.2 */
import { compactVerify, importJWK, type JWK } from 'jose';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import {
  type TrustChainOptions,
  validateTrustChain,
} from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation } from '../../../test/support/federation.ts';
import { testKey } from '../../../test/support/keys.ts';
import type { Figure } from '../figure.ts';
import { inLanes, roundRobin, shareOfFloor } from '../rounds.ts';
import { ANCHOR_POLICY, INTERMEDIATE_POLICY, relyingPartyMetadata } from '../samples/relying-party.ts';

/**
 * Each with two keys that no other has, so that no key is met again before the thousand that validation remembers have
 * been forgotten: but for the Trust Anchor's, which all share, every key is imported each time.
 */
const CHAINS = 1000;

export const chainValidate: Figure = {
  name: 'chain_validate',
  summary:
    'distinct Trust Chains of four statements validated a second, in sequence, over bare importJWK + compactVerify of the same pairs',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    bench.progress(`signing ${CHAINS} Trust Chains`);
    const samples: ChainSample[] = [];
    for (let index = 0; index < CHAINS; index++) samples.push(await chainSample(index));
    const nextToValidate = roundRobin(samples);
    const nextToVerify = roundRobin(samples);
    const measurement = await shareOfFloor(
      bench,
      inLanes(1, async () => {
        const { chain, options } = nextToValidate();
        await validateTrustChain(chain, options);
      }),
      inLanes(1, () => Promise.all(nextToVerify().pairs.map(verifyBare))),
    );
    return { ...measurement, details: { ...measurement.details, chains: CHAINS } };
  },
};

interface Pair {
  jwt: string;
  jwk: Jwk;
}

interface ChainSample {
  chain: string[];
  options: TrustChainOptions;
  /** Each statement with the key that verifies it. */
  pairs: Pair[];
}

/** Another Intermediate and another subject for every chain, all under the same Trust Anchor. */
async function chainSample(index: number): Promise<ChainSample> {
  const [anchorKey, intermediateKey, relyingPartyKey] = await Promise.all([
    testKey('ES256', 0),
    testKey('ES256', 2 * index + 1),
    testKey('ES256', 2 * index + 2),
  ]);
  const federation = await buildFederation({
    anchor: { keys: [anchorKey] },
    intermediate: {
      keys: [intermediateKey],
      superiors: { anchor: { metadata_policy: ANCHOR_POLICY, constraints: { max_path_length: 1 } } },
    },
    rp: {
      keys: [relyingPartyKey],
      superiors: { intermediate: { metadata_policy: INTERMEDIATE_POLICY } },
      metadata: (identifier) => ({ openid_relying_party: relyingPartyMetadata(identifier, index) }),
    },
  });
  const chain = await federation.chain('rp', 'intermediate', 'anchor');
  const keys = [relyingPartyKey, intermediateKey, anchorKey, anchorKey];
  const pairs = keys.map(({ jwk }, position) => ({ jwt: chain[position] ?? '', jwk }));
  return { chain, options: federation.validation('anchor'), pairs };
}

async function verifyBare({ jwt, jwk }: Pair): Promise<void> {
  await compactVerify(jwt, await importJWK(jwk as JWK, 'ES256'));
}
