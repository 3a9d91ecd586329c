/** Requests of our own: read back by us, by openssl and by @peculiar/x509; nothing else is signed as one. */
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate-error.ts';
import { parseDer } from '../../../src/pki/der.ts';
import { sequence } from '../../../src/pki/der-writer.ts';
import { lintCertificateRequest } from '../../../src/pki/request/lint-certificate-request.ts';
import { parseCertificateRequest } from '../../../src/pki/request/parse-certificate-request.ts';
import { writeCertificationRequestInfo } from '../../../src/pki/request/write-certificate-request.ts';
import { signedDer } from '../../../src/pki/signed/signed-der.ts';
import { der, ecKey, rsaKey } from '../../support/certificates.ts';
import { keyFor, spkiOf } from '../../support/own-certificates.ts';

const ALGORITHMS = ['ES256', 'ES384', 'RS256'] as const;
const KEYS = new Map(ALGORITHMS.map((alg) => [alg, keyFor(alg)]));
const texts = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 });

const samples = fc.record({ alg: fc.constantFrom(...ALGORITHMS), organisation: texts, name: texts }).map((sample) => {
  const { alg, organisation, name } = sample;
  const key = KEYS.get(alg) ?? ecKey();
  const spki = spkiOf(key);
  const subject = [
    { type: '2.5.4.10', text: organisation },
    { type: '2.5.4.3', text: name },
  ];
  const linted = lintCertificateRequest(writeCertificationRequestInfo({ subject, spki }), { alg, spki });
  const contents = linted.spend();
  const hash = alg === 'ES384' ? 'sha384' : 'sha256';
  const signature = sign(hash, contents.toBeSigned, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return { subject, spki, request: Buffer.from(signedDer(contents, signature)) };
});

const KEY = ecKey();
const SPKI = spkiOf(KEY);
const INFO = writeCertificationRequestInfo({ subject: [{ type: '2.5.4.3', text: 'CA' }], spki: SPKI });

function reasonOf(info: Uint8Array, spki: Uint8Array = SPKI): string {
  try {
    lintCertificateRequest(info, { alg: 'ES256', spki });
  } catch (error) {
    if (error instanceof CertificateError) return error.reason;
    throw error;
  }
  return 'signed';
}

function withParts(change: (parts: Uint8Array[]) => Uint8Array[]): Uint8Array {
  return sequence(...change(parseDer(INFO).children.map(({ bytes }) => bytes)));
}

describe('a request of ours', () => {
  it('is read as it was written, by us and by @peculiar/x509', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async ({ request, subject, spki }) => {
        const read = parseCertificateRequest(request);
        expect(Buffer.from(read.spki)).toEqual(spki);
        expect(read.subject.relativeNames.flat().map(({ type, text }) => ({ type, text }))).toEqual(subject);
        const other = new Pkcs10CertificateRequest(request);
        expect(await other.verify()).toBe(true);
        for (const { type, text } of subject) expect(other.subjectName.getField(type)).toEqual([text]);
      }),
    );
  });

  it('is verified by openssl', () => {
    fc.assert(
      fc.property(samples, ({ request }) => {
        const options = ['req', '-inform', 'DER', '-verify', '-noout'];
        expect(() => execFileSync('openssl', options, { input: request, stdio: 'pipe' })).not.toThrow();
      }),
      { numRuns: 10 },
    );
  });

  it('is signed only if it is for the key that signs it, and says nothing else', () => {
    expect(reasonOf(INFO)).toBe('signed');
    expect(reasonOf(INFO, spkiOf(ecKey()))).toBe('lint_failed');
    expect(reasonOf(writeCertificationRequestInfo({ subject: [], spki: SPKI }))).toBe('lint_failed');
    expect(reasonOf(withParts((parts) => parts.slice(0, 3)))).toBe('lint_failed');
    expect(reasonOf(withParts((parts) => [...parts, der(5)]))).toBe('lint_failed');
    expect(reasonOf(withParts((parts) => parts.with(0, der(2, [1]))))).toBe('lint_failed');
    expect(reasonOf(withParts((parts) => parts.with(3, der(0xa0, sequence()))))).toBe('lint_failed');
    expect(reasonOf(Buffer.concat([INFO, Buffer.alloc(1)]))).toBe('trailing_data');
    const weak = spkiOf(rsaKey(1024));
    const ofWeak = writeCertificationRequestInfo({ subject: [{ type: '2.5.4.3', text: 'CA' }], spki: weak });
    expect(reasonOf(ofWeak, weak)).toBe('weak_key');
  });

  it('of which any bytes are others is refused, or is a request for the same key', () => {
    const change = fc.tuple(fc.nat(INFO.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const info = Uint8Array.from(INFO);
        for (const [index, byte] of changes) info[index] = byte;
        if (reasonOf(info) === 'signed') expect(Buffer.from(info).includes(SPKI)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
