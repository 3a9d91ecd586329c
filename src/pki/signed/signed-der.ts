/** The frame of everything that is signed in X.509: what is signed, the algorithm, the signature. @see RFC 5280 §4.1.1 */
import { bitString, type Der, explicit, NULL, oid, sequence, unsignedInteger } from '../der-writer.ts';
import type { LintedContents, X509Algorithm } from './linted-der.ts';

/** AlgorithmIdentifier. @see RFC 5758 §3.2, RFC 4055 §5 */
export const ALGORITHM_IDENTIFIERS: Readonly<Record<X509Algorithm, Der>> = {
  ES256: sequence(oid('1.2.840.10045.4.3.2')),
  ES384: sequence(oid('1.2.840.10045.4.3.3')),
  RS256: sequence(oid('1.2.840.113549.1.1.11'), NULL),
};

export function isX509Algorithm(alg: string): alg is X509Algorithm {
  return Object.hasOwn(ALGORITHM_IDENTIFIERS, alg);
}

/** @param signature as JOSE has it: r and s side by side for curves (RFC 7518 §3.4) */
export function signedDer({ alg, toBeSigned, trailer }: LintedContents, signature: Uint8Array): Der {
  const parts = [toBeSigned, ALGORITHM_IDENTIFIERS[alg], bitString(signatureValue(alg, signature))];
  return trailer === undefined ? sequence(...parts) : sequence(...parts, explicit(0, trailer));
}

/** Ecdsa-Sig-Value (RFC 3279 §2.2.3), or the bytes as they are. */
function signatureValue(alg: X509Algorithm, signature: Uint8Array): Der {
  if (alg === 'RS256') return signature;
  const half = signature.length / 2;
  return sequence(unsignedInteger(signature.subarray(0, half)), unsignedInteger(signature.subarray(half)));
}
