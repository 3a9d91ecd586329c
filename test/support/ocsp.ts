/** Requests to OCSP responders made byte by byte, and what OpenSSL makes of the answers. @see RFC 6960 §4 */
import { spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { der, oid, sequence } from './certificates.ts';

export const NONCE = '1.3.6.1.5.5.7.48.1.2';
const HASHES = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1', sha512: '2.16.840.1.101.3.4.2.3' } as const;

export interface AskedExtension {
  type: string;
  isCritical?: boolean;
  /** DER. */
  value: Uint8Array;
}

export interface OcspRequestPlan {
  /** DER of the certificate of who issued what is asked about. */
  issuer: Uint8Array;
  /** Hexadecimal. */
  serials: readonly string[];
  hash?: keyof typeof HASHES;
  nonce?: Uint8Array;
  extensions?: readonly AskedExtension[];
  /** Of each single request. */
  singleExtensions?: readonly AskedExtension[];
  /** DER values in the place of, or beside, those made here. */
  version?: Uint8Array;
  requestorName?: Uint8Array;
  signature?: Uint8Array;
}

export function ocspRequest(plan: OcspRequestPlan): Buffer {
  const { serials, nonce, extensions = [], singleExtensions = [], version, requestorName, signature } = plan;
  const all = nonce === undefined ? extensions : [{ type: NONCE, value: der(0x04, nonce) }, ...extensions];
  const requests = serials.map((serial) =>
    sequence(certId(plan, serial), ...(singleExtensions.length === 0 ? [] : [der(0xa0, listOf(singleExtensions))])),
  );
  const tbs = sequence(
    ...(version === undefined ? [] : [version]),
    ...(requestorName === undefined ? [] : [der(0xa1, requestorName)]),
    sequence(...requests),
    ...(all.length === 0 ? [] : [der(0xa2, listOf(all))]),
  );
  return sequence(tbs, ...(signature === undefined ? [] : [der(0xa0, signature)]));
}

function certId({ issuer, hash = 'sha1' }: OcspRequestPlan, serial: string): Buffer {
  const { publicKey } = new X509Certificate(issuer);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  // The last of its two values, after tag, length and unused bits.
  const point = spki.subarray(spki.indexOf(Buffer.from([0x03, 0x42, 0x00])) + 3);
  const digest = (bytes: Uint8Array) => der(0x04, createHash(hash).update(bytes).digest());
  const digits = serial.length % 2 === 0 ? serial : `0${serial}`;
  const bytes = Buffer.from(digits, 'hex');
  const number = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.alloc(1), bytes]);
  return sequence(sequence(oid(HASHES[hash]), der(0x05)), digest(subjectOf(issuer)), digest(point), der(0x02, number));
}

/** The sixth value of what is signed, found by its lengths alone. */
function subjectOf(certificate: Uint8Array): Buffer {
  const tbs = valuesOf(valuesOf(Buffer.from(certificate))[0] ?? Buffer.alloc(0));
  return tbs[5] ?? Buffer.alloc(0);
}

function valuesOf(value: Buffer): Buffer[] {
  const values: Buffer[] = [];
  for (let rest = contentsOf(value); rest.length > 0; ) {
    const size = rest.length - contentsAfter(rest).length;
    values.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return values;
}

function header(value: Buffer): { start: number; length: number } {
  const first = value[1] ?? 0;
  if (first < 0x80) return { start: 2, length: first };
  const count = first & 0x7f;
  return { start: 2 + count, length: value.readUIntBE(2, count) };
}

function contentsOf(value: Buffer): Buffer {
  const { start, length } = header(value);
  return value.subarray(start, start + length);
}

function contentsAfter(value: Buffer): Buffer {
  const { start, length } = header(value);
  return value.subarray(start + length);
}

function listOf(extensions: readonly AskedExtension[]): Buffer {
  return sequence(
    ...extensions.map(({ type, isCritical = false, value }) =>
      sequence(oid(type), ...(isCritical ? [der(0x01, [0xff])] : []), der(0x04, value)),
    ),
  );
}

/** What OpenSSL reads in a response, as text. */
export function openSslText(response: Uint8Array): string {
  using folder = temporary();
  const args = ['ocsp', '-respin', folder.file('response', response), '-resp_text', '-noverify'];
  // It fails where the response has no status of a certificate.
  return spawnSync('openssl', args, { encoding: 'utf8' }).stdout;
}

const REASONS: Readonly<Record<number, string>> = {
  1: 'keyCompromise',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  9: 'privilegeWithdrawn',
};

/** `good`, `unknown`, `revoked` with its reason, of each certificate; or the status of an answer without any. */
export function statusesIn(response: Uint8Array): string[] {
  const text = openSslText(response);
  const [, error] = /Responder Error: (\w+)/.exec(text) ?? [];
  if (error !== undefined) return [error];
  return text
    .split('Cert Status: ')
    .slice(1)
    .map((part) => {
      const [, status = ''] = /^(\w+)/.exec(part) ?? [];
      // OpenSSL has no names for those from 8 on.
      const [, reason] = /Revocation Reason: .*\(0x(\w+)\)/.exec(part) ?? [];
      return reason === undefined ? status : `${status} ${REASONS[Number.parseInt(reason, 16)]}`;
    });
}

export interface Verified {
  isVerified: boolean;
  /** What OpenSSL says besides. */
  text: string;
}

/** Whether OpenSSL believes an answer to a request, at that time, below this root. @param certificates PEM */
export function verifyByOpenSsl(
  response: Uint8Array,
  { request, root, issuer, at }: { request: Uint8Array; root: string; issuer: string; at: number },
): Verified {
  using folder = temporary();
  const { stderr, stdout } = spawnSync(
    'openssl',
    [
      ...['ocsp', '-respin', folder.file('response', response), '-reqin', folder.file('request', request)],
      ...['-issuer', folder.file('issuer', issuer), '-CAfile', folder.file('root', root)],
      ...['-verify_other', folder.file('others', issuer), '-attime', String(at)],
    ],
    { encoding: 'utf8' },
  );
  return { isVerified: /Response verify OK/.test(stderr), text: stdout + stderr };
}

function temporary(): Disposable & { file: (name: string, contents: Uint8Array | string) => string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-ocsp-'));
  return {
    file(name, contents) {
      const place = path.join(folder, name);
      writeFileSync(place, contents);
      return place;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
