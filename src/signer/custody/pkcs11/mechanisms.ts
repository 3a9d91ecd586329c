/** How each algorithm is done by a token: with the mechanisms that nearly every one has. @see PKCS#11 2.40 */
import { constants, createPublicKey, type JsonWebKey, type SigningOptions, verify } from 'node:crypto';
import type { Attribute, Mechanism } from 'pkcs11js';
import type { JsonObject } from '../../../federation/json.ts';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { ALGORITHMS } from '../../../federation/signature.ts';
import { RSA_MODULUS_BITS } from '../key-custody.ts';
import { CKA, CKG, CKM, CKP_RSA_PSS } from './constants.ts';

/** Algorithms of keys in a token. */
export type TokenAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'PS256';

interface Means {
  /** Of the digest that is signed: tokens do without large inputs, and many without hashing. */
  hash: 'sha256' | 'sha384';
  sign: Mechanism;
  /** What stands before the digest. */
  prefix: Buffer;
  signatureBytes: number;
  /** How others verify it. */
  verify: SigningOptions;
  generate: Mechanism;
  publicTemplate: Attribute[];
}

const PUBLIC_EXPONENT = Buffer.from([1, 0, 1]);
/** DigestInfo of SHA-256 up to the digest. @see RFC 8017 §9.2 */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
/** Object identifiers of the curves, in DER. @see RFC 5480 §2.1.1.1 */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const P384 = Buffer.from('06052b81040022', 'hex');

const RSA = {
  hash: 'sha256',
  signatureBytes: RSA_MODULUS_BITS / 8,
  generate: { mechanism: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
  publicTemplate: [
    { type: CKA.MODULUS_BITS, value: RSA_MODULUS_BITS },
    { type: CKA.PUBLIC_EXPONENT, value: PUBLIC_EXPONENT },
  ],
} as const satisfies Partial<Means>;

export const MEANS: Readonly<Record<TokenAlgorithm, Means>> = {
  ES256: elliptic('sha256', P256, 64),
  ES384: elliptic('sha384', P384, 96),
  RS256: {
    ...RSA,
    publicTemplate: [...RSA.publicTemplate],
    sign: { mechanism: CKM.RSA_PKCS, parameter: null },
    verify: { padding: constants.RSA_PKCS1_PADDING },
    prefix: SHA256_DIGEST_INFO,
  },
  PS256: {
    ...RSA,
    publicTemplate: [...RSA.publicTemplate],
    sign: {
      mechanism: CKM.RSA_PKCS_PSS,
      parameter: { type: CKP_RSA_PSS, hashAlg: CKM.SHA256, mgf: CKG.MGF1_SHA256, saltLen: 32 },
    },
    verify: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    prefix: Buffer.alloc(0),
  },
};

export function isTokenAlgorithm(alg: string): alg is TokenAlgorithm {
  return Object.hasOwn(MEANS, alg);
}

/** Signatures of CKM_ECDSA are r and s side by side, as JOSE has them. */
function elliptic(hash: Means['hash'], curve: Buffer, signatureBytes: number): Means {
  return {
    hash,
    sign: { mechanism: CKM.ECDSA, parameter: null },
    verify: { dsaEncoding: 'ieee-p1363' },
    prefix: Buffer.alloc(0),
    signatureBytes,
    generate: { mechanism: CKM.EC_KEY_PAIR_GEN, parameter: null },
    publicTemplate: [{ type: CKA.EC_PARAMS, value: curve }],
  };
}

/** The attributes of a public key that {@link publicMembers} reads. */
export function publicAttributes(alg: TokenAlgorithm): Attribute[] {
  const types = ALGORITHMS[alg].kty === 'EC' ? [CKA.EC_POINT] : [CKA.MODULUS, CKA.PUBLIC_EXPONENT];
  return types.map((type) => ({ type }));
}

/** The public key as members of a JWK. @throws RangeError for what is no key of the algorithm */
export function publicMembers(alg: TokenAlgorithm, attributes: readonly { type: number; value: Buffer }[]): JsonObject {
  const value = (type: number): Buffer => attributes.find((one) => one.type === type)?.value ?? Buffer.alloc(0);
  const means = ALGORITHMS[alg];
  if (means.kty === 'RSA') {
    const [n, e] = [unsigned(value(CKA.MODULUS)), unsigned(value(CKA.PUBLIC_EXPONENT))];
    if (n.length !== RSA_MODULUS_BITS / 8) throw new RangeError(`the modulus has ${8 * n.length} bits`);
    return { kty: 'RSA', n: n.toString('base64url'), e: e.toString('base64url') };
  }
  const size = MEANS[alg].signatureBytes / 2;
  const point = uncompressedPoint(value(CKA.EC_POINT), size);
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return { kty: 'EC', crv: means.crv, x: x.toString('base64url'), y: y.toString('base64url') };
}

/** Whether others will accept what the token signs with the key. */
export function verifies(alg: TokenAlgorithm, jwk: Jwk, input: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    return verify(MEANS[alg].hash, input, { ...MEANS[alg].verify, key }, signature);
  } catch {
    return false;
  }
}

const UNCOMPRESSED = 0x04;
const OCTET_STRING = 0x04;

/** The standard has the point in a DER OCTET STRING; some tokens give it bare. */
function uncompressedPoint(given: Buffer, size: number): Buffer {
  const length = 1 + 2 * size;
  const isWrapped = given.length === 2 + length && given[0] === OCTET_STRING && given[1] === length;
  const point = isWrapped ? given.subarray(2) : given;
  if (point.length !== length || point[0] !== UNCOMPRESSED) throw new RangeError('the point is not uncompressed');
  return point;
}

function unsigned(integer: Buffer): Buffer {
  const start = integer.findIndex((byte) => byte !== 0);
  return start === -1 ? Buffer.alloc(0) : integer.subarray(start);
}
