/** Keys of an Entity Type: `jwks`, `jwks_uri`, `signed_jwks_uri`. @see OIDFED §5.2.1 */
import { FederationError, pointer } from '../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { checkUrl, type MetadataContext } from './entity-type-check.ts';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
/** JWE key management algorithms of RFC 7518 §4.1 start like this; every other `alg` of a public key signs. */
const ENCRYPTION_ALG = /^(?:RSA1_5|RSA-OAEP|ECDH-ES)/;

/**
 * Checks how an Entity Type gives its keys. One way is enough; several at once are legal. Other than Federation Entity
 * Keys these keys need no `kid` and may be of any kind, as long as they are public.
 * @throws FederationError metadata_invalid, jwk_private
 */
export function checkKeyParameters(parameters: JsonObject, context: MetadataContext, at: string): void {
  checkUrl(parameters, 'jwks_uri', context, at);
  checkUrl(parameters, 'signed_jwks_uri', context, at);
  if (Object.hasOwn(parameters, 'jwks')) checkPublicJwks(parameters['jwks'], `${at}/jwks`);
}

/** @returns its keys @throws FederationError metadata_invalid, jwk_private */
export function checkPublicJwks(jwks: JsonValue | undefined, at: string): JsonObject[] {
  if (!isJsonObject(jwks) || !Array.isArray(jwks['keys'])) {
    throw new FederationError('metadata_invalid', 'must be a JWK Set: an object with an array `keys`', at);
  }
  const keys = jwks['keys'].map((key, index) => checkPublicJwk(key, `${at}${pointer('keys', index)}`));
  const purposes = new Set(keys.map(purposeOf));
  if (!purposes.has('sig') || !purposes.has('enc')) return keys;
  const withoutUse = keys.findIndex((key) => !Object.hasOwn(key, 'use'));
  if (withoutUse !== -1) {
    const message = 'needs `use`, since the set holds both signing and encryption keys';
    throw new FederationError('metadata_invalid', message, `${at}${pointer('keys', withoutUse, 'use')}`);
  }
  return keys;
}

function checkPublicJwk(key: JsonValue, at: string): JsonObject {
  if (!isJsonObject(key) || typeof key['kty'] !== 'string' || key['kty'] === '') {
    throw new FederationError('metadata_invalid', 'must be a JWK: an object with a string `kty`', at);
  }
  for (const member of PRIVATE_MEMBERS) {
    if (Object.hasOwn(key, member)) {
      throw new FederationError('jwk_private', `private or symmetric member \`${member}\` must never be published`, at);
    }
  }
  return key;
}

/** `sig`, `enc`, another `use`, or undefined where the key does not say what it is for. */
function purposeOf(key: JsonObject): JsonValue | undefined {
  if (key['use'] !== undefined) return key['use'];
  if (typeof key['alg'] !== 'string') return undefined;
  return ENCRYPTION_ALG.test(key['alg']) ? 'enc' : 'sig';
}
