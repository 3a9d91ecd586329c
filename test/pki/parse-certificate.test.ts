import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../src/pki/certificate-error.ts';
import { certificateComplaint } from '../../src/pki/certificate-usage.ts';
import { parseCertificates } from '../../src/pki/parse-certificate.ts';
import { encodePem, MAX_PEM_LENGTH } from '../../src/pki/pem.ts';
import {
  AUTHORITY,
  armoured,
  CLIENT_AUTHENTICATION,
  certificate,
  chainOf,
  compressedSpki,
  DIGITAL_SIGNATURE,
  der,
  distinguishedName,
  dnsNames,
  ecKey,
  extendedKeyUsage,
  KEY_ENCIPHERMENT,
  keyUsage,
  oid,
  pem,
  rsaKey,
  sequence,
  type TestExtension,
} from '../support/certificates.ts';

/** The reason of the refusal, or `taken`. */
function outcomeOf(given: string | Uint8Array): string {
  try {
    parseCertificates(given);
    return 'taken';
  } catch (error) {
    if (error instanceof CertificateError) return error.reason;
    throw error;
  }
}

const KEY = ecKey();
const GOOD = certificate({ key: KEY });

describe('a certificate', () => {
  it('says whose it is, by whom, for how long, and with which key, as other readers see it', () => {
    const issuer = { key: rsaKey(), name: distinguishedName({ C: 'GB', CN: 'CA, of "Tests"' }) };
    const bytes = certificate({ key: KEY, issuer, serial: [0x00, 0xf1, 0x02], notAfter: '20551231235959Z' });
    const [leaf] = parseCertificates(pem(bytes));
    const oracle = new X509Certificate(bytes);
    expect(leaf).toMatchObject({
      subject: 'CN=client.partner.example, O=Partner Ltd',
      issuer: 'C=GB, CN=CA\\, of \\"Tests\\"',
      serial: 'f102',
      notBefore: Date.UTC(2026, 0, 1) / 1000,
      notAfter: Date.UTC(2055, 11, 31, 23, 59, 59) / 1000,
      isAuthority: false,
      keyUsage: ['digitalSignature'],
      extendedKeyUsage: [CLIENT_AUTHENTICATION],
    });
    expect(leaf.serial.toUpperCase()).toBe(oracle.serialNumber);
    expect(Buffer.from(leaf.x5tS256, 'base64url').toString('hex')).toBe(
      oracle.fingerprint256.replaceAll(':', '').toLowerCase(),
    );
    expect(leaf.jwk).toEqual(KEY.publicKey.export({ format: 'jwk' }));
    expect(encodePem(leaf.der)).toBe(oracle.toString());
  });

  it('is the same as DER, and the same key has one fingerprint in all certificates', () => {
    const [one] = parseCertificates(new Uint8Array(GOOD));
    const [renewed] = parseCertificates(pem(certificate({ key: KEY, serial: [7] })));
    expect(one).toEqual(parseCertificates(pem(GOOD))[0]);
    expect(renewed.spkiSha256).toBe(one.spkiSha256);
    expect(renewed.x5tS256).not.toBe(one.x5tS256);
    expect(outcomeOf(`\r\n${pem(GOOD).replaceAll('\n', '\r\n')} \n`)).toBe('taken');
  });

  it('of openssl is read as openssl does', () => {
    const made = execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null', '-days', '30', '-set_serial', '77'],
        ...['-subj', '/O=Partner Ltd/CN=client', '-addext', 'keyUsage=critical,digitalSignature'],
        ...['-addext', 'subjectAltName=DNS:client.example'],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [leaf] = parseCertificates(made);
    expect(leaf).toMatchObject({ subject: 'O=Partner Ltd, CN=client', serial: '4d', jwk: { crv: 'Ed25519' } });
    expect(certificateComplaint(leaf, 'transport')).toBeUndefined();
    const shown = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
      input: encodePem(leaf.der),
      encoding: 'utf8',
    });
    expect(shown.trim().replace(/.*=/, '').replaceAll(':', '').toLowerCase()).toBe(
      Buffer.from(leaf.x5tS256, 'base64url').toString('hex'),
    );
  });

  it.each([
    ['RSA of 2048 bits', () => certificate({ key: rsaKey() })],
    ['P-384', () => certificate({ key: ecKey('P-384') })],
    ['P-521', () => certificate({ key: ecKey('P-521') })],
    ['no extensions', () => certificate({ extensions: [] })],
    [
      'a wildcard and an emoji',
      () => certificate({ extensions: [dnsNames('*.a.example')], subject: distinguishedName({ O: 'Bänk 🏦' }) }),
    ],
    [
      'an unknown extension that is not critical',
      () => certificate({ extensions: [{ type: '1.2.3.4', value: der(0x05) }] }),
    ],
  ])('is taken with %s', (_, make) => {
    expect(outcomeOf(pem(make()))).toBe('taken');
  });
});

describe('a chain', () => {
  it('has the leaf first, and is kept in its order', () => {
    const [leaf, authority] = chainOf();
    expect(parseCertificates(pem(leaf, authority)).map(({ isAuthority }) => isAuthority)).toEqual([false, true]);
  });

  const [leaf, authority] = chainOf();
  const [, stranger] = chainOf();
  it.each([
    ['turned round', [authority, leaf], 'chain_broken'],
    ['with another of the same name', [leaf, stranger], 'chain_broken'],
    ['with one twice', [leaf, authority, leaf], 'certificate_repeated'],
    ['of the same certificate twice', [leaf, leaf], 'certificate_repeated'],
    [
      'of seven',
      Array.from({ length: 7 }, (_, index) => certificate({ key: KEY, serial: [index + 1] })),
      'certificate_too_large',
    ],
    [
      'signed by one that is no authority',
      [
        certificate({ issuer: { key: KEY, name: distinguishedName({ CN: 'x' }) } }),
        certificate({ key: KEY, subject: distinguishedName({ CN: 'x' }) }),
      ],
      'chain_broken',
    ],
  ])('is refused %s', (_, chain, reason) => {
    expect(outcomeOf(pem(...chain))).toBe(reason);
  });
});

const PRIVATE = KEY.privateKey;
const withByte = (at: number, byte: number): Buffer => {
  const bytes = Buffer.from(GOOD);
  bytes[at] = byte;
  return bytes;
};
const NONMINIMAL = Buffer.concat([Buffer.from([0x30, 0x83, 0x00]), GOOD.subarray(2, 4), GOOD.subarray(4)]);
const INDEFINITE = Buffer.concat([Buffer.from([0x30, 0x80]), GOOD.subarray(4), Buffer.from([0, 0])]);
const name = (text: string) => certificate({ key: KEY, subject: distinguishedName({ CN: text }) });
const extensions = (...given: TestExtension[]) => certificate({ key: KEY, extensions: given });
const SHA1 = { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' };
const PSS = (...hash: Uint8Array[]) => sequence(oid('1.2.840.113549.1.1.10'), sequence(...hash));

describe('hostile certificates', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['nothing', 'certificate_malformed', ''],
    ['a sentence', 'certificate_malformed', 'please trust me'],
    ['an empty block', 'certificate_malformed', armoured('CERTIFICATE', new Uint8Array())],
    ['noise in a block', 'certificate_malformed', armoured('CERTIFICATE', Buffer.alloc(200, 0xff))],
    ['no base64', 'certificate_malformed', pem(GOOD).replace('MII', 'M=I')],
    ['base64 with stray bits', 'certificate_malformed', '-----BEGIN CERTIFICATE-----\nMB==\n-----END CERTIFICATE-----'],
    ['another label', 'certificate_malformed', armoured('TRUSTED CERTIFICATE', GOOD)],
    ['a request to sign', 'certificate_malformed', armoured('CERTIFICATE REQUEST', GOOD)],
    ['a certificate that is cut', 'certificate_malformed', GOOD.subarray(0, -5)],
    ['a sequence of nothing', 'certificate_malformed', sequence()],
    [
      'values nested 100 deep',
      'certificate_malformed',
      Array.from({ length: 100 }).reduce<Buffer>((inner) => sequence(inner), sequence()),
    ],
    ['a length of four gigabytes', 'certificate_malformed', Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0])],
    ['a length that is not the shortest', 'certificate_malformed', NONMINIMAL],
    ['an indefinite length', 'certificate_malformed', INDEFINITE],
    ['version 1', 'certificate_malformed', certificate({ version: null })],
    ['version 2', 'certificate_malformed', certificate({ version: der(0xa0, der(0x02, [1])) })],
    ['a negative serial number', 'certificate_malformed', certificate({ serial: [0x80, 1] })],
    [
      'a serial number of 21 bytes',
      'certificate_malformed',
      certificate({ serial: Array.from({ length: 21 }, () => 1) }),
    ],
    ['a padded serial number', 'certificate_malformed', certificate({ serial: [0, 1] })],
    [
      'two signature algorithms',
      'certificate_malformed',
      certificate({ outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) }),
    ],
    ['a point that is not on the curve', 'certificate_malformed', certificate({ spki: withoutCurve() })],
    ['a time without seconds', 'certificate_malformed', certificate({ notAfter: '20360101000Z' })],
    ['a time with fractions', 'certificate_malformed', certificate({ notAfter: '20360101000000.5Z' })],
    ['a time of a local zone', 'certificate_malformed', certificate({ notAfter: '20360101000000+0100' })],
    ['month 13', 'certificate_malformed', certificate({ notAfter: '20361301000000Z' })],

    ['bytes after its end', 'trailing_data', Buffer.concat([GOOD, Buffer.from([0])])],
    ['another one after its end', 'trailing_data', Buffer.concat([GOOD, GOOD])],
    ['text before the block', 'trailing_data', `Certificate:\n    Data:\n${pem(GOOD)}`],
    ['text after the block', 'trailing_data', `${pem(GOOD)}x`],
    ['a block that begins and does not end', 'trailing_data', `${pem(GOOD)}-----BEGIN CERTIFICATE-----\nMII`],

    ['a private key (PKCS #8)', 'private_key', PRIVATE.export({ format: 'pem', type: 'pkcs8' }) as string],
    ['a private key (SEC 1)', 'private_key', PRIVATE.export({ format: 'pem', type: 'sec1' }) as string],
    ['a private key (PKCS #1)', 'private_key', rsaKey().privateKey.export({ format: 'pem', type: 'pkcs1' }) as string],
    [
      'an encrypted private key',
      'private_key',
      PRIVATE.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }) as string,
    ],
    [
      'a private key beside the certificate',
      'private_key',
      `${pem(GOOD)}${PRIVATE.export({ format: 'pem', type: 'pkcs8' })}`,
    ],
    ['a private key as DER', 'private_key', PRIVATE.export({ format: 'der', type: 'pkcs8' })],
    [
      'a private key under the label of a certificate',
      'private_key',
      pem(PRIVATE.export({ format: 'der', type: 'sec1' })),
    ],
    ['a private key of OpenSSH', 'private_key', armoured('OPENSSH PRIVATE KEY', Buffer.alloc(10))],

    ['one of 20 KiB', 'certificate_too_large', name('x'.repeat(20_000))],
    ['text without end', 'certificate_too_large', '-'.repeat(MAX_PEM_LENGTH + 1)],

    ['RSA of 1024 bits', 'weak_key', certificate({ key: rsaKey(1024) })],
    ['P-192', 'weak_key', certificate({ key: ecKey('prime192v1') })],
    ['P-224', 'weak_key', certificate({ key: ecKey('secp224r1') })],
    ['secp256k1', 'algorithm_unsupported', certificate({ key: ecKey('secp256k1') })],
    ['a brainpool curve', 'algorithm_unsupported', certificate({ key: ecKey('brainpoolP256r1') })],
    ['a point written the short way', 'algorithm_unsupported', certificate({ key: KEY, spki: compressedSpki(KEY) })],
    ['a signature with SHA-1', 'algorithm_unsupported', certificate(SHA1)],
    [
      'a signature with MD5',
      'algorithm_unsupported',
      certificate({ signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.4'), der(0x05)) }),
    ],
    ['RSASSA-PSS with SHA-1 by default', 'algorithm_unsupported', certificate({ signatureAlgorithm: PSS() })],
    [
      'an unknown signature algorithm',
      'algorithm_unsupported',
      certificate({ signatureAlgorithm: sequence(oid('1.2.3.4')) }),
    ],

    [
      'an end before its beginning',
      'validity_invalid',
      certificate({ notBefore: '360101000000Z', notAfter: '260101000000Z' }),
    ],
    ['an end at its beginning', 'validity_invalid', certificate({ notAfter: '260101000000Z' })],

    ['U+0000 in its name', 'name_invalid', name('bank.example\0.evil.example')],
    ['a line end in its name', 'name_invalid', name('bank\nset-cookie: x')],
    ['a turned direction in its name', 'name_invalid', name('bank\u202eelpmaxe')],
    ['a name of 2,000 characters', 'name_invalid', name('x'.repeat(2000))],
    [
      'U+0000 in the name of its issuer',
      'name_invalid',
      certificate({ issuer: { key: KEY, name: distinguishedName({ CN: 'CA\0' }) } }),
    ],
    ['U+0000 in a DNS name', 'name_invalid', extensions(dnsNames('bank.example\0.evil.example'))],

    ['an extension twice', 'extension_invalid', extensions(DIGITAL_SIGNATURE, DIGITAL_SIGNATURE)],
    [
      'an unknown critical extension',
      'extension_invalid',
      extensions({ type: '1.2.3.4', critical: true, value: der(0x05) }),
    ],
    [
      'a mere promise of a certificate',
      'extension_invalid',
      extensions({ type: '1.3.6.1.4.1.11129.2.4.3', critical: true, value: der(0x05) }),
    ],
    ['a key usage that is none', 'extension_invalid', extensions({ type: '2.5.29.15', value: Buffer.from('x') })],
    [
      'a key usage with bytes after it',
      'extension_invalid',
      extensions({ type: '2.5.29.15', value: Buffer.concat([DIGITAL_SIGNATURE.value, Buffer.from([0])]) }),
    ],
    [
      'an extended key usage of numbers',
      'extension_invalid',
      extensions({ type: '2.5.29.37', value: sequence(der(0x02, [1])) }),
    ],
  ])('%s: %s', (_, reason, given) => {
    expect(outcomeOf(given)).toBe(reason);
    if (typeof given !== 'string') expect(outcomeOf(pem(given))).toBe(reason);
  });

  it('are refused without a word of what was handed in', () => {
    const secret = PRIVATE.export({ format: 'pem', type: 'pkcs8' }) as string;
    const [, line = ''] = secret.split('\n');
    for (const given of [
      secret,
      pem(PRIVATE.export({ format: 'der', type: 'sec1' })),
      `${line}x`,
      name('evil\0name'),
    ]) {
      const refusal = (() => {
        try {
          return parseCertificates(given);
        } catch (error) {
          return error as Error;
        }
      })();
      expect(JSON.stringify([String(refusal), { ...refusal }])).not.toContain(line.slice(0, 20));
      expect(String(refusal)).not.toContain('evil');
    }
  });

  function withoutCurve(): Buffer {
    const spki = Buffer.from(KEY.publicKey.export({ format: 'der', type: 'spki' }));
    spki[spki.length - 1] = (spki.at(-1) ?? 0) ^ 1;
    return spki;
  }
});

describe('what a certificate is for', () => {
  const complaint = (bytes: Uint8Array, purpose: Parameters<typeof certificateComplaint>[1]) =>
    certificateComplaint(parseCertificates(bytes)[0], purpose) ?? 'fits';
  const serverAuthentication = '1.3.6.1.5.5.7.3.1';

  it.each([
    ['transport', extensions(DIGITAL_SIGNATURE, extendedKeyUsage(CLIENT_AUTHENTICATION)), /^fits$/],
    ['transport', extensions(DIGITAL_SIGNATURE, extendedKeyUsage(serverAuthentication)), /^fits$/],
    ['transport', extensions(extendedKeyUsage('2.5.29.37.0')), /^fits$/],
    ['transport', extensions(), /^fits$/],
    ['transport', extensions(KEY_ENCIPHERMENT), /not for transport: its key usage/],
    ['transport', extensions(extendedKeyUsage('1.3.6.1.5.5.7.3.4')), /not for TLS/],
    ['transport', extensions(AUTHORITY), /^fits$/],
    [
      'transport',
      certificate({ extensions: [AUTHORITY], issuer: { key: KEY, name: distinguishedName({ CN: 'x' }) } }),
      /certification authority/,
    ],
    ['transport', extensions(AUTHORITY, keyUsage(0x06, 1)), /not for transport: its key usage/],
    ['signing', extensions(keyUsage(0x40, 6)), /^fits$/],
    ['signing', extensions(KEY_ENCIPHERMENT), /not for signing/],
    ['encryption', extensions(KEY_ENCIPHERMENT), /^fits$/],
    ['encryption', extensions(DIGITAL_SIGNATURE), /not for encryption/],
  ] as const)('%s', (purpose, bytes, expected) => {
    expect(complaint(bytes, purpose)).toMatch(expected);
  });
});

it('one flipped byte near the front is no fault', () => {
  for (let at = 0; at < 12; at++) expect(() => outcomeOf(withByte(at, 0xff))).not.toThrow();
});
