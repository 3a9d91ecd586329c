/** Certificates made byte by byte, so that tests can make those that no tool makes. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface KeyPair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export function ecKey(namedCurve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve });
}

export function rsaKey(modulusLength = 2048, publicExponent = 65_537): KeyPair {
  return generateKeyPairSync('rsa', { modulusLength, publicExponent });
}

/** A value of DER; contents are bytes, or values that follow each other. */
export function der(tag: number, ...contents: (Uint8Array | number[])[]): Buffer {
  const body = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const length = body.length < 0x80 ? [body.length] : longLength(body.length);
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function longLength(length: number): number[] {
  const bytes = [length >> 16, (length >> 8) & 0xff, length & 0xff];
  const first = bytes.findIndex((byte) => byte !== 0);
  return [0x80 + 3 - first, ...bytes.slice(first)];
}

export const sequence = (...values: Uint8Array[]): Buffer => der(0x30, ...values);
const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const bits = (bytes: Uint8Array): Buffer => der(0x03, [0], bytes);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, [first * 40 + second, ...rest].flatMap(base128));
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}

/** A name of attributes such as `{ CN: 'client' }`. */
export function distinguishedName(attributes: Readonly<Record<string, string>>): Buffer {
  const types: Readonly<Record<string, string>> = { CN: '2.5.4.3', O: '2.5.4.10', C: '2.5.4.6' };
  return sequence(
    ...Object.entries(attributes).map(([type, value]) => der(0x31, sequence(oid(types[type] ?? type), utf8(value)))),
  );
}

export interface TestExtension {
  type: string;
  critical?: boolean;
  /** DER. */
  value: Uint8Array;
}

export const keyUsage = (bitsSet: number, unused = 0): TestExtension => ({
  type: '2.5.29.15',
  critical: true,
  value: der(0x03, [unused, bitsSet]),
});
export const DIGITAL_SIGNATURE = keyUsage(0x80, 7);
export const KEY_ENCIPHERMENT = keyUsage(0x20, 5);
export const AUTHORITY: TestExtension = { type: '2.5.29.19', critical: true, value: sequence(der(0x01, [0xff])) };
export const extendedKeyUsage = (...types: string[]): TestExtension => ({
  type: '2.5.29.37',
  value: sequence(...types.map(oid)),
});
export const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
export const dnsNames = (...names: string[]): TestExtension => ({
  type: '2.5.29.17',
  value: sequence(...names.map((name) => der(0x82, Buffer.from(name)))),
});

export interface CertificatePlan {
  key?: KeyPair;
  /** Who signs; the key itself unless given. */
  issuer?: { key: KeyPair; name: Buffer };
  subject?: Buffer;
  serial?: number[];
  notBefore?: string;
  notAfter?: string;
  extensions?: TestExtension[];
  /** DER values in the place of those made here. */
  version?: Uint8Array | null;
  spki?: Uint8Array;
  signatureAlgorithm?: Uint8Array;
  outerAlgorithm?: Uint8Array;
  hash?: string;
  /** Signs in the place of the issuer's key with `hash`. */
  signer?: (tbs: Buffer) => Buffer;
}

export const CLIENT_NAME = distinguishedName({ CN: 'client.partner.example', O: 'Partner Ltd' });

/** DER of a certificate; one for TLS clients, valid from 2026 to 2036, unless told otherwise. */
export function certificate(plan: CertificatePlan = {}): Buffer {
  const { key = ecKey(), subject = CLIENT_NAME, serial = [0x4f, 0x2a] } = plan;
  const issuer = plan.issuer ?? { key, name: subject };
  const isRsa = issuer.key.privateKey.asymmetricKeyType === 'rsa';
  const algorithm =
    plan.signatureAlgorithm ??
    (isRsa ? sequence(oid('1.2.840.113549.1.1.11'), der(0x05)) : sequence(oid('1.2.840.10045.4.3.2')));
  const time = (text: string): Buffer => der(text.length === 13 ? 0x17 : 0x18, Buffer.from(text));
  const extensions = plan.extensions ?? [DIGITAL_SIGNATURE, extendedKeyUsage(CLIENT_AUTHENTICATION)];
  const version = plan.version === undefined ? der(0xa0, der(0x02, [2])) : plan.version;
  const tbs = sequence(
    ...(version === null ? [] : [version]),
    der(0x02, serial),
    algorithm,
    issuer.name,
    sequence(time(plan.notBefore ?? '260101000000Z'), time(plan.notAfter ?? '360101000000Z')),
    subject,
    plan.spki ?? key.publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions.map(extension)))]),
  );
  const signature = plan.signer?.(tbs) ?? sign(plan.hash ?? 'sha256', tbs, issuer.key.privateKey);
  return sequence(tbs, plan.outerAlgorithm ?? algorithm, bits(signature));
}

function extension({ type, critical, value }: TestExtension): Buffer {
  return sequence(oid(type), ...(critical === true ? [der(0x01, [0xff])] : []), octets(value));
}

/** A leaf with the authority above it, leaf first. */
export function chainOf(key: KeyPair = ecKey()): [leaf: Buffer, authority: Buffer] {
  const authorityKey = ecKey();
  const name = distinguishedName({ CN: 'Test CA' });
  const authority = certificate({ key: authorityKey, subject: name, extensions: [AUTHORITY, keyUsage(0x06, 1)] });
  return [certificate({ key, issuer: { key: authorityKey, name } }), authority];
}

export function pem(...certificates: Uint8Array[]): string {
  return certificates.map((bytes) => armoured('CERTIFICATE', bytes)).join('');
}

export function armoured(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The SubjectPublicKeyInfo with its point written the short way. */
export function compressedSpki({ publicKey }: KeyPair): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const isOdd = ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1) === 1;
  const point = Buffer.concat([Buffer.from([isOdd ? 3 : 2]), Buffer.from(x, 'base64url')]);
  const spki = sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bits(point));
  // Fails where it is no key.
  createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return spki;
}
