/** Destroys in the token what signs no more, as the database drops sealed keys that do. */
import { forgetTokenObject, spentTokenObjects } from '../registry/authorities/keys/spent-token-objects.ts';
import type { Pkcs11Custody } from '../signer/custody/pkcs11/token-custody.ts';
import type { Db } from '../storage/connect.ts';

export interface TokenClearing {
  db: Db;
  token: Pick<Pkcs11Custody, 'destroyKey'>;
  now: () => Date;
}

/** Nodes that do so at once do not mind each other. @throws CustodyUnavailable: then it is for the next time */
export async function clearToken({ db, token, now }: TokenClearing): Promise<void> {
  for (const key of await spentTokenObjects(db, now())) {
    const { authorityId: owner, purpose, tokenObject } = key;
    await token.destroyKey({ owner, purpose, tokenObject });
    await forgetTokenObject(db, key);
  }
}
