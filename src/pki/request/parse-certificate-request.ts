/** Reads requests for certificates, strictly, and checks that whoever made one has its private key. @see RFC 2986 §4 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import { type DistinguishedName, parseDistinguishedName } from '../names/distinguished-name.ts';
import type { GeneralName } from '../names/general-name.ts';
import { parseExtensions } from '../path/extensions.ts';
import { decodePemBlock } from '../pem.ts';
import { type PublicJwk, parsePublicKey } from '../public-key.ts';
import { isSignedWith } from './request-signature.ts';
import { requireStrongRsa } from './rsa-strength.ts';

export interface CertificateRequest {
  der: Uint8Array;
  /** SubjectPublicKeyInfo in DER. */
  spki: Uint8Array;
  jwk: PublicJwk;
  /** SHA-256 over it, base64url. */
  spkiSha256: string;
  /** What it asks to be called; nothing of it is taken over. */
  subject: DistinguishedName;
  alternativeNames: readonly GeneralName[];
}

/** Of one request, in bytes: those of large RSA keys have about 2 KiB. */
export const MAX_REQUEST_BYTES = 16 * 1024;
const MAX_ATTRIBUTES = 32;
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const VERSION_1 = Buffer.from([0x02, 0x01, 0x00]);

/**
 * @param given DER, or PEM
 * @throws CertificateError request_malformed, csr_signature_invalid, weak_key, algorithm_unsupported, private_key,
 *   certificate_malformed, trailing_data, name_invalid, extension_invalid
 */
export function parseCertificateRequest(given: Uint8Array | string): CertificateRequest {
  const der = typeof given === 'string' ? decodePemBlock('CERTIFICATE REQUEST', given) : given;
  if (der.length > MAX_REQUEST_BYTES) throw malformed(`has more than ${MAX_REQUEST_BYTES} bytes`);
  const { tag, children } = parseDer(der);
  const [info, algorithm, signature, ...rest] = children;
  if (tag !== TAG.sequence || info?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence || rest.length > 0) {
    throw malformed('is no request of PKCS #10');
  }
  if (signature?.tag !== TAG.bitString || signature.contents[0] !== 0) throw malformed('has no signature');
  const [version, name, key, attributes, ...others] = info.children;
  if (version === undefined || !VERSION_1.equals(version.bytes)) throw malformed('is not of version 1');
  if (key?.tag !== TAG.sequence || others.length > 0) throw malformed('is no request of PKCS #10');
  const subject = parseDistinguishedName(name);
  const { jwk, spkiSha256 } = parsePublicKey(key.bytes);
  requireStrongRsa(jwk);
  const alternativeNames = alternativeNamesOf(attributes);
  if (!isSignedWith(key.bytes, algorithm, info.bytes, signature.contents.subarray(1))) {
    const message = 'is not signed with the key that it is for; make it with that private key';
    throw new CertificateError('csr_signature_invalid', message);
  }
  return { der: new Uint8Array(der), spki: key.bytes, jwk, spkiSha256, subject, alternativeNames };
}

/** Of the extensions that it asks for; some tools leave the set of attributes out where it is empty. */
function alternativeNamesOf(attributes: DerValue | undefined): readonly GeneralName[] {
  if (attributes === undefined) return [];
  if (attributes.tag !== TAG.context0) throw malformed('has something else in the place of attributes');
  if (attributes.children.length > MAX_ATTRIBUTES) throw malformed(`has more than ${MAX_ATTRIBUTES} attributes`);
  const asked = attributes.children.map(readAttribute).filter(({ type }) => type === EXTENSION_REQUEST);
  if (asked.length > 1) throw malformed('asks for extensions twice');
  const [extensions, ...more] = asked[0]?.values ?? [];
  if (more.length > 0) throw malformed('asks for extensions twice');
  if (extensions === undefined) return [];
  // As it stands in a certificate, where it has a tag around it.
  return parseExtensions({ ...extensions, tag: TAG.context3, children: [extensions] }).alternativeNames;
}

function readAttribute({ tag, children: [type, values, ...rest] }: DerValue): {
  type: string;
  values: readonly DerValue[];
} {
  const oid = oidOf(type);
  if (tag !== TAG.sequence || oid === undefined || values?.tag !== TAG.set || rest.length > 0) {
    throw malformed('has an attribute that is none');
  }
  return { type: oid, values: values.children };
}

function malformed(message: string): CertificateError {
  return new CertificateError('request_malformed', message);
}
