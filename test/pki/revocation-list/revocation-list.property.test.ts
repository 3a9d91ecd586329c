/** Lists of revocations: what is written is read back, by us and by openssl; nothing else is read, or signed. */
import { execFileSync } from 'node:child_process';
import { sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate-error.ts';
import { parseDer } from '../../../src/pki/der.ts';
import { integer, sequence, time, unsignedInteger } from '../../../src/pki/der-writer.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { lintRevocationList } from '../../../src/pki/revocation-list/lint-revocation-list.ts';
import { parseRevocationList, parseTbsRevocationList } from '../../../src/pki/revocation-list/parse-revocation-list.ts';
import { CRL_REASON, type CrlReason } from '../../../src/pki/revocation-list/revocation-reason.ts';
import {
  type RevocationListPlan,
  type RevokedEntry,
  writeEntries,
  writeTbsRevocationList,
} from '../../../src/pki/revocation-list/write-revocation-list.ts';
import { signedDer } from '../../../src/pki/signed/signed-der.ts';
import { CERTIFICATE_SIGNING } from '../../support/certificate-paths.ts';
import {
  AUTHORITY,
  certificate,
  DIGITAL_SIGNATURE,
  der,
  distinguishedName,
  ecKey,
  keyUsage,
  type TestExtension,
} from '../../support/certificates.ts';

const BEGIN = 1_799_971_200;
const LIFETIME = 86_400;
const REASONS = Object.values(CRL_REASON);
const KEY = ecKey();
const SUBJECT_KEY = { type: '2.5.29.14', value: der(0x04, Buffer.alloc(20, 7)) };
const SIGNS_LISTS = keyUsage(0x06, 1);
const issuerWith = (...extensions: TestExtension[]) =>
  certificate({ key: KEY, subject: distinguishedName({ CN: 'Issuing CA' }), extensions });
const ISSUER = issuerWith(AUTHORITY, SIGNS_LISTS, SUBJECT_KEY);
const ISSUER_NAME = parseDer(ISSUER).children[0]?.children[5]?.bytes ?? new Uint8Array();

const serials = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
  const [first = 0, ...rest] = bytes;
  const hex = Buffer.from([first & 0x7f, ...rest])
    .toString('hex')
    .replace(/^0+/, '');
  return hex === '' ? '1' : hex;
});
const entryLists: fc.Arbitrary<RevokedEntry[]> = fc.uniqueArray(
  fc.record({
    serial: serials,
    reason: fc.constantFrom<CrlReason>(...REASONS),
    // To the far side of 2050, where dates are written otherwise.
    revokedAt: fc.integer({ min: 0, max: 4_102_444_800 }),
  }),
  { selector: ({ serial }) => serial, maxLength: 30 },
);

function tbsOf(entries: readonly RevokedEntry[], changes: Partial<RevocationListPlan> = {}): Uint8Array {
  return writeTbsRevocationList({
    ...{ alg: 'ES256', issuer: ISSUER_NAME, authorityKeyIdentifier: Buffer.alloc(20, 7) },
    ...{ number: 7, thisUpdate: BEGIN, nextUpdate: BEGIN + LIFETIME, entries: writeEntries(entries) },
    ...changes,
  });
}

function signed(toBeSigned: Uint8Array): Uint8Array {
  const signature = sign('sha256', toBeSigned, { key: KEY.privateKey, dsaEncoding: 'ieee-p1363' });
  return signedDer({ kind: 'revocation-list', alg: 'ES256', toBeSigned }, signature);
}

const EXPECTED = { alg: 'ES256', issuer: ISSUER, numberBefore: 6, lifetimeSeconds: LIFETIME } as const;
const byNumber = (a: RevokedEntry, b: RevokedEntry) => (BigInt(`0x${a.serial}`) < BigInt(`0x${b.serial}`) ? -1 : 1);
const ONE: RevokedEntry = { serial: '5b17', reason: 1, revokedAt: BEGIN };

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CertificateError) return error.reason;
    throw error;
  }
  return 'done';
}

/** Calls itself what it is: entries that nobody but a test writes. */
const rawEntries = (...entries: Uint8Array[]) => Buffer.concat(entries);
const rawEntry = (serial: Uint8Array, ...others: Uint8Array[]) => sequence(serial, time(BEGIN), ...others);

describe('[F23] a list of revocations', () => {
  it('is read back as it was written, by serial number', () => {
    fc.assert(
      fc.property(entryLists, fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (entries, number) => {
        const list = parseRevocationList(signed(tbsOf(entries, { number })));
        expect(list).toMatchObject({ thisUpdate: BEGIN, nextUpdate: BEGIN + LIFETIME, number: BigInt(number) });
        expect(list.authorityKeyIdentifier).toBe('07'.repeat(20));
        expect(list.entryCount).toBe(entries.length);
        expect([...list.entries()]).toEqual(entries.toSorted(byNumber));
      }),
    );
  });

  it('is the same bytes in whatever order its entries came', () => {
    fc.assert(
      fc.property(
        entryLists.chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
        ),
        ([entries, others]) => {
          expect(Buffer.from(tbsOf(others)).equals(tbsOf(entries))).toBe(true);
        },
      ),
    );
  });

  it('says to openssl what it says to us', () => {
    fc.assert(
      fc.property(entryLists, (entries) => {
        const text = execFileSync('openssl', ['crl', '-inform', 'DER', '-noout', '-text'], {
          input: signed(tbsOf(entries)),
          encoding: 'utf8',
        });
        expect(text).toMatch(/X509v3 CRL Number: *\n? *7\n/);
        const shown = [...text.matchAll(/Serial Number: ([0-9A-F]+)\n/g)].map(([, serial = '']) =>
          BigInt(`0x${serial}`),
        );
        expect(shown).toEqual(entries.toSorted(byNumber).map(({ serial }) => BigInt(`0x${serial}`)));
        const reasons = entries.filter(({ reason }) => reason !== 0).length;
        expect([...text.matchAll(/X509v3 CRL Reason Code/g)]).toHaveLength(reasons);
      }),
      { numRuns: 15 },
    );
  });

  it('is read whole or refused, whatever bytes come', () => {
    const whole = signed(tbsOf([ONE, { serial: '77', reason: 0, revokedAt: 4_000_000_000 }]));
    const mutated = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [index, byte] of changes) bytes[index] = byte;
        return bytes;
      });
    const cut = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(mutated, cut, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const outcome = reasonOf(() => {
          const list = parseRevocationList(bytes);
          // What passes is told again in the same bytes, or it was read in a way of its own.
          const { thisUpdate, nextUpdate, issuer, number, authorityKeyIdentifier } = list;
          const again = writeTbsRevocationList({
            ...{ alg: 'ES256', issuer, number: Number(number), thisUpdate, nextUpdate },
            authorityKeyIdentifier: Buffer.from(authorityKeyIdentifier, 'hex'),
            entries: writeEntries([...list.entries()]),
          });
          const isOfOurs =
            number <= BigInt(Number.MAX_SAFE_INTEGER) &&
            Buffer.from(list.algorithm).includes('06082a8648ce3d040302', 0, 'hex') &&
            list.algorithm.length === 12;
          if (isOfOurs) expect(Buffer.from(again).equals(list.toBeSigned)).toBe(true);
        });
        expect(typeof outcome).toBe('string');
      }),
      { numRuns: 60_000 },
    );
  });

  it.each([
    ['a serial number of 0', rawEntries(rawEntry(integer(0)))],
    ['a serial number below 0', rawEntries(rawEntry(Uint8Array.of(2, 1, 0x80)))],
    ['a serial number that is padded', rawEntries(rawEntry(Uint8Array.of(2, 2, 0, 1)))],
    ['a serial number of 21 bytes', rawEntries(rawEntry(unsignedInteger(Buffer.alloc(21, 1))))],
    ['a certificate twice', rawEntries(rawEntry(integer(5)), rawEntry(integer(5)))],
    ['entries out of order', rawEntries(rawEntry(integer(6)), rawEntry(integer(5)))],
    ['no date', rawEntries(sequence(integer(5)))],
    ['a date of February 30', rawEntries(sequence(integer(5), der(0x17, Buffer.from('270230120000Z'))))],
    ['a second of 60', rawEntries(sequence(integer(5), der(0x17, Buffer.from('270228120060Z'))))],
    [
      'letters in a date that is known',
      rawEntries(rawEntry(integer(5)), sequence(integer(6), der(0x17, Buffer.from('2701151x0000Z')))),
    ],
    [
      'a date before 2050 in the long form',
      rawEntries(sequence(integer(5), der(0x18, Buffer.from('20270228120000Z')))),
    ],
    [
      'the reason `unspecified` in words',
      rawEntries(rawEntry(integer(5), Buffer.from('300c300a0603551d1504030a0100', 'hex'))),
    ],
    [
      'the reason of a delta list',
      rawEntries(rawEntry(integer(5), Buffer.from('300c300a0603551d1504030a0108', 'hex'))),
    ],
    [
      'a reason that nobody knows',
      rawEntries(rawEntry(integer(5), Buffer.from('300c300a0603551d1504030a0107', 'hex'))),
    ],
    ['extensions without a reason', rawEntries(rawEntry(integer(5), sequence()))],
    [
      'something after the reason',
      rawEntries(rawEntry(integer(5), Buffer.from('300c300a0603551d1504030a0101', 'hex'), integer(1))),
    ],
    ['something else than an entry', rawEntries(integer(5))],
    ['half an entry', rawEntries(rawEntry(integer(5))).subarray(0, -1)],
  ])('is refused with %s, and is not signed so', (_, entries) => {
    const tbs = tbsOf([], { entries });
    expect(reasonOf(() => parseRevocationList(signed(tbs)))).not.toBe('done');
    expect(reasonOf(() => lintRevocationList(tbs, { ...EXPECTED, entries: 1 }))).not.toBe('done');
  });

  it('is refused with anything after it, with two algorithms, without a number, and larger than anybody reads', () => {
    const whole = signed(tbsOf([ONE]));
    expect(reasonOf(() => parseRevocationList(whole))).toBe('done');
    expect(reasonOf(() => parseRevocationList(Buffer.concat([whole, Buffer.alloc(1)])))).toBe('trailing_data');
    expect(reasonOf(() => parseRevocationList(signed(tbsOf([ONE], { alg: 'ES384' }))))).toBe('certificate_malformed');
    const [version, algorithm, issuer, begin, end] = parseDer(tbsOf([])).children.map(({ bytes }) => bytes);
    const bare = sequence(...[version, algorithm, issuer, begin, end].map((part) => part ?? new Uint8Array()));
    expect(reasonOf(() => parseTbsRevocationList(bare))).toBe('certificate_malformed');
    expect(reasonOf(() => parseRevocationList(new Uint8Array(65 * 1024 * 1024)))).toBe('certificate_too_large');
  });

  it('is signed only if it says what was meant', () => {
    const tbs = tbsOf([ONE]);
    const refusal = (changes: object, of: Uint8Array = tbs) =>
      reasonOf(() => lintRevocationList(of, { ...EXPECTED, entries: 1, ...changes }));
    expect(refusal({})).toBe('done');
    expect(refusal({ entries: 2 })).toBe('lint_failed');
    expect(refusal({ numberBefore: 7 })).toBe('lint_failed');
    expect(refusal({ numberBefore: 8 })).toBe('lint_failed');
    expect(refusal({ lifetimeSeconds: LIFETIME + 1 })).toBe('lint_failed');
    expect(refusal({ alg: 'RS256' })).toBe('lint_failed');
    const otherKey = tbsOf([ONE], { authorityKeyIdentifier: Buffer.alloc(20, 8) });
    expect(refusal({}, otherKey)).toBe('lint_failed');
    expect(refusal({ issuer: certificate({ key: KEY, extensions: [AUTHORITY, SIGNS_LISTS, SUBJECT_KEY] }) })).toBe(
      'lint_failed',
    );
    for (const usage of [CERTIFICATE_SIGNING, DIGITAL_SIGNATURE]) {
      const issuer = issuerWith(AUTHORITY, usage, SUBJECT_KEY);
      if (parsePathCertificate(issuer).keyUsage?.includes('cRLSign')) continue;
      expect(refusal({ issuer })).toBe('lint_failed');
    }
    expect(refusal({}, tbsOf([ONE], { nextUpdate: BEGIN }))).toBe('validity_invalid');
  });
});
