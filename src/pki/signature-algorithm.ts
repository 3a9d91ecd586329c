/** Signatures of certificates that anybody should rely on. @see RFC 5280 §4.1.1.2, RFC 4055, RFC 5758, RFC 8410 */
import { type DerValue, oidOf, TAG } from './der.ts';

const RSASSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const SHA2 = new Set(['2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', '2.16.840.1.101.3.4.2.3']);
/** PKCS #1 and ECDSA with SHA-256, SHA-384, SHA-512; Ed25519, Ed448. */
const ALGORITHMS = new Set([
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
  ...['1.3.101.112', '1.3.101.113'],
]);

/** @param identifier AlgorithmIdentifier; RSASSA-PSS has its hash in the parameters */
export function isSuitableSignature({ children: [algorithm, parameters, ...rest] }: DerValue): boolean {
  const oid = oidOf(algorithm) ?? '';
  if (rest.length > 0) return false;
  return ALGORITHMS.has(oid) || (oid === RSASSA_PSS && isSuitablePss(parameters));
}

/** The same hash for message and mask, as RFC 4055 §3.1 recommends; without parameters it would be SHA-1. */
function isSuitablePss(parameters: DerValue | undefined): boolean {
  const explicit = (tag: number): DerValue | undefined =>
    parameters?.children.find((child) => child.tag === tag)?.children[0];
  const [hash, mask] = [explicit(TAG.context0), explicit(0xa1)];
  const name = oidOf(hash?.children[0]) ?? '';
  return SHA2.has(name) && oidOf(mask?.children[0]) === MGF1 && oidOf(mask?.children[1]?.children[0]) === name;
}
