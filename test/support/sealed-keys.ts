/** Looks whether private keys in the database are sealed under a master key. */
import type { AuthorityKey } from '../../src/registry/authorities/authority.ts';
import { type MasterKey, UnsealError } from '../../src/signer/sealing.ts';

/** Whether the master key opens the private key of an authority. */
export function opens(
  masterKey: MasterKey,
  { authorityId: owner, kid, purpose, sealedPrivateKey }: AuthorityKey,
): boolean {
  try {
    masterKey.unseal(sealedPrivateKey ?? new Uint8Array(), { owner, kid, purpose });
    return true;
  } catch (error) {
    if (error instanceof UnsealError) return false;
    throw error;
  }
}
