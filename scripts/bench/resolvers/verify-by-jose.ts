/** The verification that the clients of others are given: the library that we use ourselves. */
import { compactVerify, importJWK, type JWK } from 'jose';

/** @returns true @throws when the signature is not by this key */
export async function verifies(jwt: string, jwk: JWK): Promise<boolean> {
  await compactVerify(jwt, await importJWK(jwk, 'ES256'));
  return true;
}
