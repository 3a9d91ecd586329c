/** Proof that whoever hands over keys holds them: each key signs the challenge. */
import { FederationError } from '../federation/errors.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import { TYP } from '../federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../federation/signature.ts';
import { invalidField } from '../registry/registry-error.ts';

/** What a proof must say: who proves, to whom, answering what. */
export interface ExpectedProof {
  entityIdentifier: string;
  authorityIdentifier: string;
  challenge: string;
}

/**
 * Checks that every key of the set signed a proof: a JWT of type `holdfast-key-proof+jwt` with `iss` the entity, `aud`
 * the authority and `nonce` the challenge.
 * @throws RegistryError validation_failed
 */
export async function checkKeyProofs(proofs: readonly string[], jwks: JwkSet, expected: ExpectedProof): Promise<void> {
  const proven = new Set<string>();
  for (const [index, proof] of proofs.entries()) {
    try {
      const signed = parseSignedJwt(proof, TYP.keyProof);
      await verifySignature(signed, jwks);
      requireClaim(signed.claims['iss'] === expected.entityIdentifier, 'iss must be the entity');
      requireClaim(signed.claims['aud'] === expected.authorityIdentifier, 'aud must be the authority');
      requireClaim(signed.claims['nonce'] === expected.challenge, 'nonce must be the challenge');
      proven.add(signed.header.kid);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      throw invalidField(`/keyProofs/${index}`, `${error.at} ${error.message}`.trim());
    }
  }
  const unproven = jwks.keys.filter((key) => !proven.has(key.kid)).map((key) => key.kid);
  if (unproven.length > 0) throw invalidField('/keyProofs', `lacks a proof by the key ${unproven.join(', ')}`);
}

function requireClaim(holds: boolean, message: string): void {
  if (!holds) throw new FederationError('claim_invalid', message);
}
