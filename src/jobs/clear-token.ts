/** Destroys in the token what signs no more, as the database drops sealed keys that do, and what never arrived here. */
import { forgetTokenObject, spentTokenObjects } from '../registry/authorities/keys/spent-token-objects.ts';
import { forgetGivenUp, giveUpTokenObjects } from '../registry/authorities/keys/token-objects-in-making.ts';
import { forgetResponderObject, spentResponderObjects } from '../registry/certification/ocsp-signers.ts';
import { forgetHostedObject, spentHostedObjects } from '../registry/hosting/spent-token-objects.ts';
import type { Pkcs11Custody } from '../signer/custody/pkcs11/token-custody.ts';
import type { Db } from '../storage/connect.ts';

export interface TokenClearing {
  db: Db;
  token: Pick<Pkcs11Custody, 'destroyKey'>;
}

/**
 * Nodes that do so at once do not mind each other. A key that the token keeps does not hold up the others.
 * @throws CustodyUnavailable: then it is for the next time
 */
export async function clearToken({ db, token }: TokenClearing): Promise<void> {
  const failures: unknown[] = [];
  const attempt = (work: Promise<void>) => work.catch((error) => void failures.push(error));
  for (const key of await spentTokenObjects(db)) {
    const { authorityId: owner, purpose, tokenObject } = key;
    await attempt(token.destroyKey({ owner, purpose, tokenObject }).then(() => forgetTokenObject(db, key)));
  }
  for (const place of await spentHostedObjects(db)) {
    await attempt(token.destroyKey(place).then(() => forgetHostedObject(db, place)));
  }
  for (const place of await spentResponderObjects(db)) {
    await attempt(token.destroyKey(place).then(() => forgetResponderObject(db, place)));
  }
  for (const place of await giveUpTokenObjects(db)) {
    await attempt(token.destroyKey(place).then(() => forgetGivenUp(db, place)));
  }
  if (failures.length > 0) throw failures[0];
}
