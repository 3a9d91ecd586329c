/** Requests for certificates (PKCS#10) made byte by byte, so that tests can make those that no tool makes. @see RFC 2986 §4 */
import { sign } from 'node:crypto';
import { armoured, der, ecKey, type KeyPair, oid, sequence } from './certificates.ts';

export interface RequestPlan {
  key?: KeyPair;
  /** DER of a Name; none unless given. */
  subject?: Uint8Array;
  /** DER of attributes, one after the other. */
  attributes?: Uint8Array[];
  /** Signs in the place of the key. */
  signer?: KeyPair;
}

const EMPTY_NAME = sequence();

/** DER of a request, of a fresh key on P-256 unless told otherwise. */
export function requestDer({
  key = ecKey(),
  subject = EMPTY_NAME,
  attributes = [],
  signer = key,
}: RequestPlan = {}): Buffer {
  const spki = key.publicKey.export({ format: 'der', type: 'spki' });
  const info = sequence(der(0x02, [0]), subject, spki, der(0xa0, ...attributes));
  const kind = signer.privateKey.asymmetricKeyType;
  const algorithm =
    kind === 'rsa'
      ? sequence(oid('1.2.840.113549.1.1.11'), der(0x05))
      : sequence(oid(kind === 'ed25519' ? '1.3.101.112' : '1.2.840.10045.4.3.2'));
  const signature = sign(kind === 'ed25519' ? null : 'sha256', info, signer.privateKey);
  return sequence(info, algorithm, der(0x03, [0], signature));
}

/** The same as PEM. */
export function requestPem(plan: RequestPlan = {}): string {
  return armoured('CERTIFICATE REQUEST', requestDer(plan));
}

/** An extensionRequest (RFC 2985 §5.4.2) for URIs among the alternative names. */
export function wantedUris(...uris: string[]): Buffer {
  const names = sequence(...uris.map((uri) => der(0x86, Buffer.from(uri))));
  const extensions = sequence(sequence(oid('2.5.29.17'), der(0x04, names)));
  return sequence(oid('1.2.840.113549.1.9.14'), der(0x31, extensions));
}
