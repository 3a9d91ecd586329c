/** What is written into a certificate is what every reader reads: ours, OpenSSL's by way of Node, and @peculiar/x509's. */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as peculiar from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireReadableText } from '../../../src/pki/names/attribute-text.ts';
import { attributeTexts } from '../../../src/pki/names/distinguished-name.ts';
import type { NamePart } from '../../../src/pki/names/write-name.ts';
import { parseCertificates } from '../../../src/pki/parse-certificate.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { profileOf } from '../../../src/pki/profile/certificate-profile.ts';
import { keyIdentifierOf } from '../../../src/pki/profile/key-identifier.ts';
import type { AlternativeName } from '../../../src/pki/profile/write-certificate.ts';
import { ecKey, type KeyPair, rsaKey } from '../../support/certificates.ts';
import {
  BEGIN,
  DAY,
  ed25519Key,
  issued,
  keyFor,
  type OwnAuthority,
  ownAuthority,
  ownRoot,
  PROFILE_NAMES,
  planFor,
  spkiOf,
  URLS,
} from '../../support/own-certificates.ts';

const ROOT = ownRoot('ES384');
const ISSUERS: readonly OwnAuthority[] = (['ES256', 'ES384', 'RS256'] as const).map((alg) =>
  ownAuthority(ROOT, keyFor(alg), alg),
);
const KEYS: readonly KeyPair[] = [ecKey(), ecKey('P-384'), ecKey('P-521'), rsaKey(), ed25519Key()];

const isReadable = (text: string): boolean => {
  try {
    requireReadableText(text);
    return [...text].length <= 64;
  } catch {
    return false;
  }
};
const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter(isReadable);
const printable = fc.stringMatching(/^[A-Za-z0-9 '()+,./:=?-]{1,64}$/);
/** Types as a registry fills them, each at most once, in any order. */
const ATTRIBUTES = { '2.5.4.3': 'CN', '2.5.4.10': 'O', '0.9.2342.19200300.100.1.1': 'UID' } as const;
const subjects: fc.Arbitrary<NamePart[]> = fc
  .record(
    {
      '2.5.4.3': texts,
      '2.5.4.10': texts,
      '2.5.4.97': fc.stringMatching(/^(NTR|VAT)[A-Z]{2}-[A-Z0-9]{1,20}$/),
      '0.9.2342.19200300.100.1.1': fc.uuid(),
      '2.5.4.5': printable,
      '2.5.4.6': fc.stringMatching(/^[A-Z]{2}$/),
    },
    { requiredKeys: ['2.5.4.3'] },
  )
  .chain((parts) => {
    const list = Object.entries(parts).map(([type, text]) => ({ type, text }));
    return fc.shuffledSubarray(list, { minLength: list.length });
  });

const hosts = fc.domain().filter((host) => host.length <= 100);
const uris = fc
  .tuple(fc.constantFrom('https', 'http'), hosts, fc.stringMatching(/^(\/[a-z0-9._~!$&()*+,;=:@%-]{0,20}){0,3}$/))
  .map(([scheme, host, path]) => `${scheme}://${host}${path}`);

const samples = fc
  .record({
    profile: fc.constantFrom(...PROFILE_NAMES),
    issuer: fc.constantFrom(...ISSUERS),
    key: fc.constantFrom(...KEYS),
    subject: subjects,
    uris: fc.uniqueArray(uris, { minLength: 1, maxLength: 4 }),
    dnsNames: fc.uniqueArray(hosts, { minLength: 1, maxLength: 4 }),
    serial: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(([, ...rest]) => Uint8Array.from([0x4f, ...rest])),
    notBefore: fc.integer({ min: BEGIN, max: BEGIN + 2000 * DAY }),
    seconds: fc.integer({ min: 1, max: 29 * DAY }),
  })
  .map(({ profile, issuer, key, uris: uriTexts, dnsNames, seconds, ...plan }) => {
    const wanted = profileOf(profile).alternativeNames;
    const alternativeNames: AlternativeName[] = [
      ...(wanted.includes('uri') ? uriTexts.map((text) => ({ form: 'uri' as const, text })) : []),
      ...(wanted.includes('dns') ? dnsNames.map((text) => ({ form: 'dns' as const, text })) : []),
    ];
    // Those of authorities are below the root; what stands under an authority of path length 0 is no authority.
    const above = profileOf(profile).authority === null ? issuer : ROOT;
    const changes = { ...plan, alternativeNames, notAfter: plan.notBefore + seconds };
    const written =
      profile === 'root-authority'
        ? planFor(profile, ROOT.key, spkiOf(ROOT.key), { ...changes, alg: ROOT.alg })
        : planFor(profile, above, spkiOf(key), changes);
    const der = issued(written, profile === 'root-authority' ? 'self' : above, above.key);
    return { der, plan: written, above, alternativeNames };
  });

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('[F20] whatever subject, names, key, serial number and dates are given', () => {
  it('our strict reader reads what was given, and what the profile says', () => {
    fc.assert(
      fc.property(samples, ({ der, plan, alternativeNames }) => {
        const profile = profileOf(plan.profile);
        const read = parsePathCertificate(der);
        expect(read).toMatchObject({ notBefore: plan.notBefore, notAfter: plan.notAfter, serial: hex(plan.serial) });
        expect(read.subject.relativeNames.map(([part]) => ({ type: part?.type, text: part?.text }))).toEqual(
          plan.subject,
        );
        expect(read.alternativeNames).toEqual(alternativeNames);
        expect(read.keyUsage).toEqual(profile.keyUsage);
        expect(read.extendedKeyUsage).toEqual(profile.extendedKeyUsage);
        expect(read.isAuthority).toBe(profile.authority !== null);
        expect(read.subjectKeyId).toBe(hex(keyIdentifierOf(plan.spki)));
        expect(read.authorityKeyId).toBe(hex(plan.authorityKeyIdentifier ?? keyIdentifierOf(plan.spki)));
        expect(hex(read.spki)).toBe(hex(plan.spki));
        expect(read.unknownCritical).toEqual([]);
        expect(parseCertificates(der)[0].serial).toBe(hex(plan.serial));
      }),
      { numRuns: 300 },
    );
  });

  it('OpenSSL reads the same, and verifies it with the key of who issued it', () => {
    fc.assert(
      fc.property(samples, ({ der, plan, above, alternativeNames }) => {
        const read = new X509Certificate(der);
        expect(read.verify(above.key.publicKey)).toBe(true);
        expect(read.serialNumber.toLowerCase()).toBe(hex(plan.serial));
        expect(read.validFromDate.getTime()).toBe(plan.notBefore * 1000);
        expect(read.validToDate.getTime()).toBe(plan.notAfter * 1000);
        expect(read.ca).toBe(profileOf(plan.profile).authority !== null);
        expect(read.keyUsage ?? null).toEqual(profileOf(plan.profile).extendedKeyUsage);
        expect(hex(read.publicKey.export({ format: 'der', type: 'spki' }))).toBe(hex(plan.spki));
        const subject = { ...read.toLegacyObject().subject } as Record<string, string>;
        for (const [type, keyword] of Object.entries(ATTRIBUTES)) {
          expect(subject[keyword]).toBe(plan.subject.find((part) => part.type === type)?.text);
        }
        // What has a comma or a quote in it is written as JSON; nothing that was given has a space.
        const names = (read.subjectAltName?.split(', ') ?? []).map((name) =>
          name.replace(/".*"/, (quoted) => JSON.parse(quoted)),
        );
        expect(names).toEqual(alternativeNames.map(({ form, text }) => `${form === 'uri' ? 'URI' : 'DNS'}:${text}`));
        const access = profileOf(plan.profile).isRevocable
          ? `OCSP - URI:${URLS.ocsp}\nCA Issuers - URI:${URLS.issuer}`
          : '';
        expect((read.infoAccess ?? '').trim()).toBe(access);
      }),
      { numRuns: 300 },
    );
  });

  it('@peculiar/x509 reads the same', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async ({ der, plan, alternativeNames }) => {
        const read = new peculiar.X509Certificate(der);
        expect(read.serialNumber).toBe(hex(plan.serial));
        expect([read.notBefore.getTime(), read.notAfter.getTime()]).toEqual([
          plan.notBefore * 1000,
          plan.notAfter * 1000,
        ]);
        for (const { type, text } of plan.subject) expect(read.subjectName.getField(type)).toEqual([text]);
        const names = read.getExtension(peculiar.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
        expect(names).toEqual(
          alternativeNames.map(({ form, text }) => ({ type: form === 'uri' ? 'url' : 'dns', value: text })),
        );
        const purposes = read.getExtension(peculiar.ExtendedKeyUsageExtension)?.usages ?? null;
        expect(purposes).toEqual(profileOf(plan.profile).extendedKeyUsage);
        expect(read.getExtension(peculiar.BasicConstraintsExtension)?.ca ?? false).toBe(
          profileOf(plan.profile).authority !== null,
        );
        expect(read.getExtension(peculiar.SubjectKeyIdentifierExtension)?.keyId).toBe(hex(keyIdentifierOf(plan.spki)));
        expect(attributeTexts(parsePathCertificate(der).subject, '2.5.4.3')).toEqual(read.subjectName.getField('CN'));
      }),
      { numRuns: 150 },
    );
  });
});
