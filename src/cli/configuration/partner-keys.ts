/** Federation Entity Keys of a partner, in a JWK Set file that only its owner can read. */
import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { isJsonObject, type JsonObject, parseJson } from '../../federation/json.ts';
import { checkJwkSet, type Jwk, type JwkSet } from '../../federation/jwk-set.ts';
import type { Typ } from '../../federation/media-types.ts';
import { ALGORITHM_NAMES, type Algorithm, keyComplaint } from '../../federation/signature.ts';
import { createPrivateFile, readPrivateFile, unusable } from './private-file.ts';

export interface PartnerKey {
  kid: string;
  alg: Algorithm;
  privateKey: CryptoKey;
}

export interface PartnerKeys {
  /** In the order of the file; the first one signs. */
  keys: PartnerKey[];
  jwks: JwkSet;
}

const RSA_BITS = 3072;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];

/**
 * Makes one key and the file for it, mode 0600; never overwrites one.
 * @throws CommandError usage
 */
export async function createPartnerKeyFile(file: string, alg: Algorithm): Promise<JwkSet> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS });
  const members = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(members);
  const key = { ...members, kid, alg, use: 'sig' };
  await createPrivateFile(file, { keys: [key] });
  return checkJwkSet({ keys: [publicHalf(key as JsonObject)] });
}

/**
 * Reads the file; the errors name it and never quote it.
 * @throws CommandError usage
 */
export async function readPartnerKeys(file: string): Promise<PartnerKeys> {
  const privateJwks = parseKeyFile(
    await readPrivateFile(file, 'Make the folder with `holdfast configuration init`.'),
    file,
  );
  const jwks = await unlessInvalid(file, () => checkJwkSet({ keys: privateJwks.map(publicHalf) }, ''));
  const keys = await Promise.all(
    jwks.keys.map(async (jwk, index): Promise<PartnerKey> => {
      const alg = algorithmOf(jwk, file);
      const privateKey = await unlessInvalid(file, () => importJWK(privateJwks[index] as JWK, alg));
      if (privateKey instanceof Uint8Array || privateKey.type !== 'private') {
        throw unusable(file, `the key ${jwk.kid} is not private`);
      }
      return { kid: jwk.kid, alg, privateKey };
    }),
  );
  return { keys, jwks };
}

/** Signs claims as they are; whoever calls it has checked them. */
export async function signAsPartner({ kid, alg, privateKey }: PartnerKey, typ: Typ, payload: string): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ typ, alg, kid })
    .sign(privateKey);
}

function parseKeyFile(content: string, file: string): JsonObject[] {
  let value: unknown;
  try {
    value = parseJson(content);
  } catch {
    throw unusable(file, 'it is not valid JSON');
  }
  const keys = isJsonObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isJsonObject)) throw unusable(file, 'it is no JWK Set');
  return keys;
}

/** A JWK without its private members. */
export function publicHalf(key: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(key).filter(([member]) => !PRIVATE_MEMBERS.includes(member)));
}

/** `alg` of the key, or the only one that its type allows. */
export function algorithmOf(jwk: Jwk, file: string): Algorithm {
  const alg = ALGORITHM_NAMES.find((name) => keyComplaint(jwk, name) === undefined);
  if (alg !== undefined) return alg;
  throw unusable(file, `the key ${jwk.kid} fits none of ${ALGORITHM_NAMES.join(', ')}`);
}

async function unlessInvalid<T>(file: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw unusable(file, error instanceof Error ? error.message : 'a key is malformed');
  }
}
