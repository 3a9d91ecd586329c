/** What a responder is asked, read strictly: requests of OpenSSL, and those that no tool makes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OcspError } from '../../../src/pki/ocsp/ocsp-error.ts';
import { isIssuedBy, ocspIssuerOf } from '../../../src/pki/ocsp/ocsp-issuer.ts';
import { MAX_CERT_IDS, MAX_NONCE_BYTES, parseOcspRequest } from '../../../src/pki/ocsp/parse-ocsp-request.ts';
import { chainOf, der, oid, pem, sequence } from '../../support/certificates.ts';
import { NONCE, ocspRequest } from '../../support/ocsp.ts';

const [leaf, issuer] = chainOf();
const OTHER = '1.3.6.1.5.5.7.48.1.4';
const SERIAL = '4f2a';
const own = (plan: Partial<Parameters<typeof ocspRequest>[0]> = {}) =>
  ocspRequest({ issuer, serials: [SERIAL], ...plan });

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-ocsp-'));
afterAll(() => rmSync(folder, { recursive: true }));

function byOpenSsl(...options: string[]): Buffer {
  const [issuerFile, leafFile, request] = ['issuer', 'leaf', 'request'].map((name) => path.join(folder, name));
  writeFileSync(issuerFile ?? '', pem(issuer));
  writeFileSync(leafFile ?? '', pem(leaf));
  const wanted = ['-issuer', issuerFile ?? '', '-cert', leafFile ?? '', '-reqout', request ?? ''];
  execFileSync('openssl', ['ocsp', ...options, ...wanted], { stdio: 'ignore' });
  return readFileSync(request ?? '');
}

const refused = (bytes: Uint8Array) => {
  try {
    parseOcspRequest(bytes);
    return 'accepted';
  } catch (error) {
    if (error instanceof OcspError) return error.status;
    throw error;
  }
};

describe('a request to an OCSP responder', () => {
  it.each([
    ['with a nonce', [], 16],
    ['without', ['-no_nonce'], undefined],
    ['with SHA-256', ['-no_nonce', '-sha256'], undefined],
  ] as const)('of OpenSSL is read %s', (_, options, nonceBytes) => {
    const { certIds, nonce } = parseOcspRequest(byOpenSsl(...options));
    expect(certIds.map(({ serial }) => serial)).toEqual([SERIAL]);
    expect(nonce?.length).toBe(nonceBytes);
    expect(certIds.every((certId) => isIssuedBy(certId, ocspIssuerOf(issuer)))).toBe(true);
    expect(certIds.some((certId) => isIssuedBy(certId, ocspIssuerOf(leaf)))).toBe(false);
  });

  it('is the same by whichever way its issuer is hashed; another hash names nobody', () => {
    for (const hash of ['sha1', 'sha256'] as const) {
      const [certId] = parseOcspRequest(own({ hash })).certIds;
      expect(certId && isIssuedBy(certId, ocspIssuerOf(issuer))).toBe(true);
    }
    const [certId] = parseOcspRequest(own({ hash: 'sha512' })).certIds;
    expect(certId && isIssuedBy(certId, ocspIssuerOf(issuer))).toBe(false);
  });

  it('may ask for ten certificates, and not for none or eleven', () => {
    const serials = Array.from({ length: MAX_CERT_IDS }, (_, index) => (index + 1).toString(16));
    expect(parseOcspRequest(own({ serials })).certIds.map(({ serial }) => serial)).toEqual(serials);
    expect(refused(own({ serials: [...serials, 'ff'] }))).toBe('malformedRequest');
    expect(refused(own({ serials: [] }))).toBe('malformedRequest');
  });

  it('may be signed and say who asks, which does not matter', () => {
    const directoryName = der(0xa4, sequence());
    const signature = sequence(sequence(oid('1.2.840.10045.4.3.2')), der(0x03, [0, 1, 2]));
    expect(parseOcspRequest(own({ requestorName: directoryName, signature })).certIds).toHaveLength(1);
    expect(refused(Buffer.concat([own({ signature }), Buffer.alloc(1)]))).toBe('malformedRequest');
  });

  it('is of version 1, whether it says so or not', () => {
    expect(parseOcspRequest(own({ version: der(0xa0, der(0x02, [0])) })).certIds).toHaveLength(1);
    expect(refused(own({ version: der(0xa0, der(0x02, [1])) }))).toBe('malformedRequest');
  });

  it('[RFC 8954 2.1] has a nonce of 1 to 32 bytes, if any', () => {
    for (const length of [1, MAX_NONCE_BYTES]) {
      expect(parseOcspRequest(own({ nonce: Buffer.alloc(length, 1) })).nonce).toHaveLength(length);
    }
    for (const length of [0, MAX_NONCE_BYTES + 1, 10_000]) {
      expect(refused(own({ nonce: Buffer.alloc(length, 1) }))).toBe('malformedRequest');
    }
    for (const value of [der(0x0c, [65]), Buffer.from('bare'), Buffer.alloc(0), sequence(der(0x04, [1]))]) {
      expect(refused(own({ extensions: [{ type: NONCE, value }] }))).toBe('malformedRequest');
    }
  });

  it('has no extension twice, and no critical one that we do not know, for all of it or for one certificate', () => {
    const known = { type: OTHER, value: sequence() };
    for (const place of ['extensions', 'singleExtensions'] as const) {
      expect(parseOcspRequest(own({ [place]: [known] })).certIds).toHaveLength(1);
      expect(refused(own({ [place]: [known, known] }))).toBe('malformedRequest');
      expect(refused(own({ [place]: [{ ...known, isCritical: true }] }))).toBe('malformedRequest');
    }
    const nonce = { type: NONCE, isCritical: true, value: der(0x04, [1, 2]) };
    expect(parseOcspRequest(own({ extensions: [nonce] })).nonce).toEqual(Buffer.from([1, 2]));
    expect(refused(own({ extensions: [nonce, nonce] }))).toBe('malformedRequest');
  });

  it('names serial numbers that certificates have: positive, of at most 20 bytes', () => {
    const longest = `7f${'ff'.repeat(19)}`;
    expect(parseOcspRequest(own({ serials: [longest] })).certIds[0]?.serial).toBe(longest);
    expect(refused(own({ serials: [`ff${'ff'.repeat(19)}`] }))).toBe('malformedRequest');
    expect(refused(own({ serials: ['7f'.repeat(21)] }))).toBe('malformedRequest');
  });

  it('is at most 16 KiB', () => {
    const value = der(0x04, Buffer.alloc(17_000));
    expect(refused(own({ extensions: [{ type: OTHER, value }] }))).toBe('malformedRequest');
  });

  it('is read, or refused as malformed, whatever the bytes are', () => {
    const good = own({ nonce: Buffer.alloc(8, 1), serials: ['1', '2'] });
    const change = fc.record({ at: fc.nat(good.length - 1), bytes: fc.uint8Array({ maxLength: 4 }), cut: fc.nat(4) });
    const mutated = fc
      .array(change, { minLength: 1, maxLength: 4 })
      .map((changes) =>
        changes.reduce<Buffer>(
          (given, { at, bytes, cut }) => Buffer.concat([given.subarray(0, at), bytes, given.subarray(at + cut)]),
          good,
        ),
      );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        expect(['accepted', 'malformedRequest']).toContain(refused(bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});
