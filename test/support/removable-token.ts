/** A token that can be unplugged, with the keys of P-256 that were made in it. */
import { type KeyObject, randomUUID, sign } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { Jwk } from '../../src/federation/jwk-set.ts';
import { CustodyUnavailable } from '../../src/signer/custody/key-custody.ts';
import type { TokenCustody } from '../../src/signer/signer.ts';
import { ecKey } from './certificates.ts';

export class RemovableToken {
  isAway = false;
  readonly keys = new Map<string, KeyObject>();

  readonly custody: TokenCustody = {
    makesNewKeys: true,
    token: {
      generateKey: async (owner, alg, purpose, note) => {
        this.#requirePresent();
        const tokenObject = randomUUID();
        await note?.({ owner, purpose, tokenObject });
        const { publicKey, privateKey } = ecKey();
        this.keys.set(tokenObject, privateKey);
        const jwk = publicKey.export({ format: 'jwk' }) as Jwk;
        const kid = await calculateJwkThumbprint(jwk);
        const publicJwk = { ...jwk, kid, alg, use: 'sig' };
        return { kid, alg, owner, purpose, publicJwk, custody: 'pkcs11', sealedPrivateKey: null, tokenObject };
      },
      sign: async ({ tokenObject }, input) => {
        this.#requirePresent();
        const key = this.keys.get(tokenObject);
        if (key === undefined) throw new Error('there is no such key');
        return sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
      },
    },
  };

  async destroyKey({ tokenObject }: { tokenObject: string }): Promise<void> {
    this.#requirePresent();
    this.keys.delete(tokenObject);
  }

  #requirePresent(): void {
    if (this.isAway) throw new CustodyUnavailable('the token is away');
  }
}
