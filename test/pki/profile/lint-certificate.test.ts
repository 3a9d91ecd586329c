/** The lint of certificates: nothing that its profile does not say is signed, whoever wrote it. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTIFICATE_REASONS, CertificateError } from '../../../src/pki/certificate-error.ts';
import { type DerValue, oidOf, parseDer } from '../../../src/pki/der.ts';
import { type Der, explicit, octetString, sequence, tagged } from '../../../src/pki/der-writer.ts';
import { type CertificateProfileName, profileOf } from '../../../src/pki/profile/certificate-profile.ts';
import { EXTENSION } from '../../../src/pki/profile/extension-types.ts';
import { type CertificateExpectations, lintCertificate } from '../../../src/pki/profile/lint-certificate.ts';
import { type CertificatePlan, writeTbsCertificate } from '../../../src/pki/profile/write-certificate.ts';
import { der, ecKey, oid, rsaKey } from '../../support/certificates.ts';
import {
  BEGIN,
  DAY,
  issued,
  type OwnAuthority,
  ownAuthority,
  ownRoot,
  PROFILE_NAMES,
  planFor,
  spkiOf,
  URLS,
} from '../../support/own-certificates.ts';

const ROOT = ownRoot();
const ISSUER = ownAuthority(ROOT, ecKey(), 'ES256');
const KEY = ecKey();
const SPKI = spkiOf(KEY);

interface Sample {
  plan: CertificatePlan;
  expected: CertificateExpectations;
}

function sampleOf(profile: CertificateProfileName, changes: Partial<CertificatePlan> = {}): Sample {
  const above = aboveOf(profile);
  const spki = above === 'self' ? spkiOf(ROOT.key) : SPKI;
  const plan = planFor(profile, above === 'self' ? ROOT.key : above, spki, changes);
  const issuer = above === 'self' ? above : { certificate: above.der };
  return { plan, expected: { profile, alg: 'ES256', issuer, spki } };
}

function aboveOf(profile: CertificateProfileName): OwnAuthority | 'self' {
  if (profile === 'root-authority') return 'self';
  return profileOf(profile).authority === null ? ISSUER : ROOT;
}

function outcomeOf(tbs: Uint8Array, expected: CertificateExpectations): string {
  try {
    lintCertificate(tbs, expected);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    expect(CERTIFICATE_REASONS).toContain(error.reason);
    return error.reason;
  }
  return 'signed';
}

function outcome(profile: CertificateProfileName, changes: Partial<CertificatePlan> = {}): string {
  const { plan, expected } = sampleOf(profile, changes);
  return outcomeOf(writeTbsCertificate(plan), expected);
}

/** The TBSCertificate of a client with its parts as they are, or others in their place. */
function withParts(change: (parts: Der[]) => Der[]): Uint8Array {
  const parts = parseDer(writeTbsCertificate(sampleOf('client').plan)).children.map(({ bytes }) => bytes);
  return sequence(...change(parts));
}

function withExtensions(change: (extensions: Der[]) => Der[]): Uint8Array {
  return withParts((parts) => {
    const list = parseDer(parts[7] ?? new Uint8Array()).children[0]?.children ?? [];
    return parts.with(7, explicit(3, sequence(...change(list.map(({ bytes }) => bytes)))));
  });
}

function withValue(type: string, value: Der): Uint8Array {
  return withExtensions((extensions) =>
    extensions.map((bytes) => {
      const { children } = parseDer(bytes);
      if (oidOf(children[0]) !== type) return bytes;
      return sequence(...children.slice(0, -1).map((child) => child.bytes), octetString(value));
    }),
  );
}

const CLIENT = sampleOf('client').expected;
const NOTHING = new Uint8Array();
const otherKey = spkiOf(ecKey());

describe('[F20] a certificate is linted before it is signed', () => {
  it.each(PROFILE_NAMES)('one for %s as it is planned passes, once', (profile) => {
    const { plan, expected } = sampleOf(profile);
    const linted = lintCertificate(writeTbsCertificate(plan), expected);
    expect(linted).toMatchObject({ kind: 'certificate', alg: 'ES256' });
    linted.spend();
    expect(() => linted.spend()).toThrow(TypeError);
  });

  it.each(PROFILE_NAMES)('one for anything else is refused as one for %s', (profile) => {
    const { plan, expected } = sampleOf(profile);
    for (const other of PROFILE_NAMES.filter((name) => name !== profile)) {
      const { alternativeNames, urls } = sampleOf(other).plan;
      const tbs = writeTbsCertificate({ ...plan, profile: other, alternativeNames, ...(urls && { urls }) });
      expect([other, outcomeOf(tbs, expected)]).not.toEqual([other, 'signed']);
    }
  });

  it.each<[string, CertificateProfileName, Partial<CertificatePlan>, string]>([
    ['a serial number of 7 bytes', 'client', { serial: Buffer.alloc(7, 5) }, 'lint_failed'],
    ['the serial number 0', 'client', { serial: new Uint8Array(16) }, 'certificate_malformed'],
    ['a serial number of 21 bytes', 'client', { serial: Buffer.alloc(21, 5) }, 'certificate_malformed'],
    ['398 days', 'client', { notAfter: BEGIN + 398 * DAY }, 'validity_invalid'],
    ['a second more than 397 days', 'server', { notAfter: BEGIN + 397 * DAY }, 'validity_invalid'],
    ['31 days of a responder', 'ocsp-responder', { notAfter: BEGIN + 31 * DAY }, 'validity_invalid'],
    ['11 years of an issuing authority', 'issuing-authority', { notAfter: BEGIN + 11 * 366 * DAY }, 'validity_invalid'],
    ['21 years of a root', 'root-authority', { notAfter: BEGIN + 21 * 366 * DAY }, 'validity_invalid'],
    ['an end before its begin', 'client', { notAfter: BEGIN - 1 }, 'validity_invalid'],
    ['a begin before that of who issues it', 'client', { notBefore: BEGIN - 1 }, 'validity_invalid'],
    [
      'an end after that of who issues it',
      'client',
      { notBefore: BEGIN + 2990 * DAY, notAfter: BEGIN + 3001 * DAY },
      'validity_invalid',
    ],
    ['another key', 'client', { spki: otherKey }, 'lint_failed'],
    ['another key of its issuer', 'client', { authorityKeyIdentifier: Buffer.alloc(20) }, 'lint_failed'],
    ['another issuer', 'client', { issuer: sequence() }, 'certificate_malformed'],
    [
      'its issuer in other bytes',
      'client',
      { issuer: sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, [65])))) },
      'lint_failed',
    ],
    ['nobody in its subject', 'client', { subject: [] }, 'lint_failed'],
    ['an empty name', 'client', { subject: [{ type: '2.5.4.3', text: '' }] }, 'lint_failed'],
    ['a common name of 65 letters', 'client', { subject: [{ type: '2.5.4.3', text: 'a'.repeat(65) }] }, 'lint_failed'],
    ['an attribute that nobody knows', 'client', { subject: [{ type: '1.2.3.4', text: 'a' }] }, 'lint_failed'],
    [
      'the same attribute twice',
      'client',
      { subject: ['a', 'b'].map((text) => ({ type: '2.5.4.3', text })) },
      'lint_failed',
    ],
    ['a name with U+0000', 'client', { subject: [{ type: '2.5.4.3', text: 'a\0b' }] }, 'name_invalid'],
    ['a name from right to left', 'client', { subject: [{ type: '2.5.4.3', text: 'a\u202eb' }] }, 'name_invalid'],
    ['a country of three letters', 'client', { subject: [{ type: '2.5.4.6', text: 'DEU' }] }, 'lint_failed'],
    ['letters that are not printable', 'client', { subject: [{ type: '2.5.4.5', text: 'a_b' }] }, 'lint_failed'],
    ['no alternative name', 'client', { alternativeNames: [] }, 'lint_failed'],
    [
      'a host name of a client',
      'client',
      { alternativeNames: sampleOf('server').plan.alternativeNames ?? [] },
      'lint_failed',
    ],
    [
      'no host name of a server',
      'server',
      { alternativeNames: sampleOf('client').plan.alternativeNames ?? [] },
      'lint_failed',
    ],
    [
      'all hosts below a domain',
      'server',
      {
        alternativeNames: [
          { form: 'uri', text: 'https://a.example' },
          { form: 'dns', text: '*.a.example' },
        ],
      },
      'lint_failed',
    ],
    [
      'the same alternative name twice',
      'client',
      {
        alternativeNames: [
          { form: 'uri', text: 'https://a.example' },
          { form: 'uri', text: 'https://a.example' },
        ],
      },
      'lint_failed',
    ],
    ['a URI without a scheme', 'client', { alternativeNames: [{ form: 'uri', text: 'a.example' }] }, 'name_invalid'],
    [
      'a URI with a space',
      'client',
      { alternativeNames: [{ form: 'uri', text: 'https://a.example/ b' }] },
      'name_invalid',
    ],
    ['an address of ldap', 'client', { urls: { ...URLS, revocationList: 'ldap://fed.example' } }, 'lint_failed'],
    ['an address with a space', 'client', { urls: { ...URLS, ocsp: 'https://fed.example/ ocsp' } }, 'lint_failed'],
    ['an address of no host', 'client', { urls: { ...URLS, issuer: 'https://' } }, 'lint_failed'],
    [
      'more than 8 KiB',
      'client',
      {
        alternativeNames: Array.from({ length: 200 }, (_, number) => ({
          ...{ form: 'uri' as const, text: `https://a.example/${'a'.repeat(40)}/${number}` },
        })),
      },
      'certificate_too_large',
    ],
    ['addresses where nobody can revoke', 'ocsp-responder', { urls: URLS }, 'lint_failed'],
    [
      'an alternative name of an authority',
      'issuing-authority',
      { alternativeNames: [{ form: 'uri', text: 'https://a.example' }] },
      'lint_failed',
    ],
  ])('with %s it is refused', (_, profile, changes, reason) => {
    expect(outcome(profile, changes)).toBe(reason);
  });

  it('longest validities pass', () => {
    expect(outcome('client', { notAfter: BEGIN + 397 * DAY - 1 })).toBe('signed');
    expect(outcome('ocsp-responder', { notAfter: BEGIN + 30 * DAY - 1 })).toBe('signed');
  });

  it.each([
    ['of RSA with 1024 bits', spkiOf(rsaKey(1024)), 'weak_key'],
    ['on P-192', spkiOf(ecKey('prime192v1')), 'weak_key'],
    ['on secp256k1', spkiOf(ecKey('secp256k1')), 'algorithm_unsupported'],
    [
      'of DSA',
      spkiOf(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })),
      'algorithm_unsupported',
    ],
    ['of who issues it', spkiOf(ISSUER.key), 'lint_failed'],
  ])('for a key %s it is refused', (_, spki, reason) => {
    const { plan, expected } = sampleOf('client', { spki });
    expect(outcomeOf(writeTbsCertificate(plan), { ...expected, spki })).toBe(reason);
  });

  it('below who may not issue it, it is refused', () => {
    const { plan, expected } = sampleOf('client');
    const client = { ...ISSUER, key: KEY, der: issued(plan, ISSUER, ISSUER.key) };
    const belowClient = planFor('client', client, otherKey);
    const under = { ...expected, issuer: { certificate: client.der }, spki: otherKey };
    expect(outcomeOf(writeTbsCertificate(belowClient), under)).toBe('lint_failed');
    const second = planFor('issuing-authority', ISSUER, otherKey);
    const underIssuer = { ...under, profile: 'issuing-authority' as const, issuer: { certificate: ISSUER.der } };
    expect(outcomeOf(writeTbsCertificate(second), underIssuer)).toBe('lint_failed');
  });

  it('that names another algorithm than its key has is refused', () => {
    const { plan, expected } = sampleOf('client', { alg: 'RS256' });
    expect(outcomeOf(writeTbsCertificate(plan), expected)).toBe('certificate_malformed');
  });

  const accessOf = (...methods: [string, string][]): Der =>
    sequence(...methods.map(([method, url]) => sequence(oid(method), der(0x86, Buffer.from(url)))));
  const [OCSP, ISSUERS] = ['1.3.6.1.5.5.7.48.1', '1.3.6.1.5.5.7.48.2'];
  const pointTo = (...urls: string[]): Der =>
    sequence(sequence(der(0xa0, der(0xa0, ...urls.map((url) => der(0x86, Buffer.from(url)))))));

  it.each<[string, Uint8Array]>([
    ['an extension more', withExtensions((all) => [...all, sequence(oid('1.2.3.4'), octetString(sequence()))])],
    [
      'a critical extension more',
      withExtensions((all) => [...all, sequence(oid('1.2.3.4'), der(1, [0xff]), octetString(sequence()))]),
    ],
    ['an extension twice', withExtensions((all) => [...all, all[0] ?? NOTHING])],
    ['an extension less', withExtensions((all) => all.slice(1))],
    ['no extensions', withParts((parts) => parts.slice(0, 7))],
    ['an identifier of its subject', withParts((parts) => parts.toSpliced(7, 0, tagged(0x82, Uint8Array.of(0, 1))))],
    ['a key usage that is not critical', withExtensions((all) => all.map(uncritical))],
    ['a flag that says `not critical`', withExtensions((all) => all.map((one) => flagged(one, 0)))],
    ['the issuer and serial number beside the key', withValue(EXTENSION.authorityKeyIdentifier, besideKey())],
    ['a key usage with bits at its end', withValue(EXTENSION.keyUsage, der(3, [6, 0x80]))],
    ['a key usage for nothing', withValue(EXTENSION.keyUsage, der(3, [0]))],
    ['one more key usage', withValue(EXTENSION.keyUsage, der(3, [2, 0x84]))],
    ['any purpose', withValue(EXTENSION.extendedKeyUsage, sequence(oid('2.5.29.37.0')))],
    [
      'a purpose more',
      withValue(EXTENSION.extendedKeyUsage, sequence(oid('1.3.6.1.5.5.7.3.2'), oid('1.3.6.1.5.5.7.3.1'))),
    ],
    ['one address of two', withValue(EXTENSION.authorityInformationAccess, accessOf([OCSP, URLS.ocsp]))],
    [
      'its addresses mixed up',
      withValue(EXTENSION.authorityInformationAccess, accessOf([ISSUERS, URLS.issuer], [OCSP, URLS.ocsp])),
    ],
    ['two places of its list', withValue(EXTENSION.revocationListDistributionPoints, pointTo(URLS.ocsp, URLS.issuer))],
    ['no place of its list', withValue(EXTENSION.revocationListDistributionPoints, pointTo())],
    [
      'a list for some reasons',
      withValue(EXTENSION.revocationListDistributionPoints, sequence(sequence(der(0x81, [1, 6])))),
    ],
    ['a byte after its end', Buffer.concat([withParts((parts) => parts), Buffer.alloc(1)])],
    ['version 1', withParts((parts) => parts.with(0, explicit(0, der(2, [0]))))],
  ])('with %s it is refused', (_, tbs) => {
    expect(outcomeOf(tbs, CLIENT)).not.toBe('signed');
  });

  it('of which one bit is another, anywhere but in what was given, it is refused', () => {
    for (const profile of PROFILE_NAMES) {
      const { plan, expected } = sampleOf(profile);
      const tbs = writeTbsCertificate(plan);
      const given = givenBytes(tbs);
      for (const [index, byte] of tbs.entries()) {
        if (given.has(index)) continue;
        for (let bit = 0; bit < 8; bit++) {
          const changed = Uint8Array.from(tbs).with(index, byte ^ (1 << bit));
          if (outcomeOf(changed, expected) === 'signed')
            expect.fail(`${profile}: bit ${bit} of byte ${index} is signed`);
        }
      }
    }
  });

  it('of which any bytes are others, it is refused, or has the same key, issuer and uses', () => {
    const { plan, expected } = sampleOf('server');
    const tbs = writeTbsCertificate(plan);
    const given = givenBytes(tbs);
    const change = fc.tuple(fc.nat(tbs.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Uint8Array.from(tbs);
        for (const [index, byte] of changes) changed[index] = byte;
        if (outcomeOf(changed, expected) !== 'signed') return;
        for (const [index, byte] of changed.entries()) if (!given.has(index)) expect(byte).toBe(tbs[index]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('that is none is refused with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(outcomeOf(bytes, CLIENT)).not.toBe('signed');
        expect(outcomeOf(sequence(bytes), CLIENT)).not.toBe('signed');
      }),
    );
  });
});

function uncritical(extension: Der): Der {
  const { children } = parseDer(extension);
  return sequence(...children.filter(({ tag }) => tag !== 0x01).map(({ bytes }) => bytes));
}

/** Every extension with a flag, where one may stand. */
function flagged(extension: Der, value: number): Der {
  const [type = NOTHING, ...others] = parseDer(extension).children.map(({ bytes }) => bytes);
  return sequence(type, der(0x01, [value]), others.at(-1) ?? NOTHING);
}

function besideKey(): Der {
  const identifier = sampleOf('client').plan.authorityKeyIdentifier ?? NOTHING;
  return sequence(der(0x80, identifier), der(0x82, [1]));
}

/** Where the serial number, the dates, the subject, alternative names and addresses stand: what a profile leaves open. */
function givenBytes(tbs: Uint8Array): ReadonlySet<number> {
  const { children } = parseDer(tbs);
  const texts = (value: DerValue): DerValue[] =>
    value.tag === 0x82 || value.tag === 0x86 ? [value] : value.children.flatMap(texts);
  const open = new Set<string>([
    EXTENSION.subjectAlternativeName,
    EXTENSION.revocationListDistributionPoints,
    EXTENSION.authorityInformationAccess,
  ]);
  const values = (children[7]?.children[0]?.children ?? [])
    .filter(({ children: [type] }) => open.has(oidOf(type) ?? ''))
    .flatMap((extension) => texts(parseDer(extension.children.at(-1)?.contents ?? NOTHING)));
  const given = [children[1], children[4], children[5], ...values].filter((value) => value !== undefined);
  return new Set(
    given.flatMap(({ contents }) => Array.from(contents, (_, index) => contents.byteOffset - tbs.byteOffset + index)),
  );
}
