/** Requests for certificates: what tools write is read; what is forged, weak or ambiguous is refused. @see RFC 2986 §4 */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, generatePrimeSync } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CERTIFICATE_REASONS, CertificateError } from '../../../src/pki/certificate-error.ts';
import { attributeTexts } from '../../../src/pki/names/distinguished-name.ts';
import {
  type CertificateRequest,
  MAX_REQUEST_BYTES,
  parseCertificateRequest,
} from '../../../src/pki/request/parse-certificate-request.ts';
import { requestDer, requestPem, wantedUris } from '../../support/certificate-requests.ts';
import {
  armoured,
  certificate,
  compressedSpki,
  der,
  distinguishedName,
  ecKey,
  type KeyPair,
  oid,
  rsaKey,
  sequence,
} from '../../support/certificates.ts';
import { ed25519Key, spkiOf } from '../../support/own-certificates.ts';
import { TemporaryFolder } from '../../support/temporary-folder.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

function reasonOf(given: Uint8Array | string): string {
  try {
    parseCertificateRequest(given);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    expect(CERTIFICATE_REASONS).toContain(error.reason);
    return error.reason;
  }
  return 'read';
}

/** A request as `openssl req` makes it. @param settings of its configuration, after `[req]` */
function opensslRequest(key: KeyPair, settings: string, ...options: string[]): Buffer {
  const keyFile = folder.write('request.key', key.privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const config = folder.write('request.cnf', `[req]\nprompt = no\ndistinguished_name = dn\n${settings}`);
  return execFileSync('openssl', ['req', '-new', '-key', keyFile, '-config', config, '-outform', 'DER', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const NAMES = '[dn]\nC = GB\nO = Société Générale\nCN = client.partner.example\nUID = 7f3c\n';
const WITH_NAMES = `req_extensions = ext\nutf8 = yes\nstring_mask = utf8only\n${NAMES}[ext]\nsubjectAltName = URI:https://app.example,DNS:app.example,email:a@b.example,IP:192.0.2.1\n`;

function expectSame({ spki, jwk, der: read }: CertificateRequest, key: KeyPair, given: Uint8Array): void {
  expect(Buffer.from(spki)).toEqual(spkiOf(key));
  expect(createPublicKey({ key: { ...jwk }, format: 'jwk' }).equals(key.publicKey)).toBe(true);
  expect(Buffer.from(read).equals(given)).toBe(true);
}

describe('[F20] a request that openssl makes is read', () => {
  it.each<[string, () => KeyPair]>([
    ['RSA 2048', () => rsaKey()],
    ['RSA 3072', () => rsaKey(3072)],
    ['P-256', () => ecKey()],
    ['P-384', () => ecKey('P-384')],
    ['P-521', () => ecKey('P-521')],
    ['Ed25519', ed25519Key],
    ['Ed448', () => generateKeyPairSync('ed448')],
  ])('with a key of %s, with names that it wants', (_, newKey) => {
    const key = newKey();
    const given = opensslRequest(key, WITH_NAMES);
    // Of its own bytes: those of a Buffer would be compared as such.
    const request = parseCertificateRequest(Uint8Array.from(given));
    expectSame(request, key, given);
    expect(attributeTexts(request.subject, '2.5.4.10')).toEqual(['Société Générale']);
    expect(attributeTexts(request.subject, '0.9.2342.19200300.100.1.1')).toEqual(['7f3c']);
    expect(request.alternativeNames).toEqual([
      { form: 'uri', text: 'https://app.example' },
      { form: 'dns', text: 'app.example' },
      { form: 'email', text: 'a@b.example' },
      { form: 'ip', address: new Uint8Array([192, 0, 2, 1]) },
    ]);
    const again = parseCertificateRequest(armoured('CERTIFICATE REQUEST', given));
    expect([again.spkiSha256, again.subject.key]).toEqual([request.spkiSha256, request.subject.key]);
    expect(parseCertificateRequest(armoured('NEW CERTIFICATE REQUEST', given)).spkiSha256).toBe(request.spkiSha256);
  });

  it.each(['sha256', 'sha384', 'sha512'])('signed with RSASSA-PSS and %s', (hash) => {
    const key = rsaKey();
    const options = [`-${hash}`, '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
    const given = opensslRequest(key, NAMES, ...options);
    expectSame(parseCertificateRequest(given), key, given);
  });

  it.each(['sha384', 'sha512'])('signed with ECDSA and %s', (hash) => {
    expect(reasonOf(opensslRequest(ecKey(), NAMES, `-${hash}`))).toBe('read');
  });

  it('with a challenge password and other attributes, which are left alone', () => {
    const settings = `attributes = attrs\n${NAMES}[attrs]\nchallengePassword = 3-letters-more\nunstructuredName = Partner\n`;
    expect(parseCertificateRequest(opensslRequest(ecKey(), settings)).alternativeNames).toEqual([]);
  });

  it('with extensions that only its authority decides about, critical ones too', () => {
    const settings = `req_extensions = ext\n${NAMES}[ext]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign\n1.2.3.4 = critical,DER:0500\n`;
    expect(parseCertificateRequest(opensslRequest(ecKey(), settings)).alternativeNames).toEqual([]);
  });

  it('with a subject of nobody', () => {
    expect(parseCertificateRequest(requestDer()).subject.relativeNames).toEqual([]);
  });
});

const KEY = ecKey();
const GOOD = requestDer({
  key: KEY,
  subject: distinguishedName({ CN: 'a' }),
  attributes: [wantedUris('https://a.example')],
});
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const asked = (...extensions: Uint8Array[]): Buffer =>
  sequence(oid(EXTENSION_REQUEST), der(0x31, sequence(...extensions)));
const named = (names: Uint8Array): Buffer => asked(sequence(oid('2.5.29.17'), der(0x04, names)));

/** A sequence within a sequence, so many times. */
function nested(depth: number): Buffer {
  return depth === 0 ? der(0x05) : sequence(nested(depth - 1));
}

/** The good one with its outermost length written in a way that DER does not have. */
function withLength(...length: number[]): Buffer {
  return Buffer.concat([Buffer.from([0x30, ...length]), GOOD.subarray(GOOD[1] === 0x82 ? 4 : 3)]);
}

const BODY = GOOD.length - (GOOD[1] === 0x82 ? 4 : 3);

describe('[F20] bad proof of possession', () => {
  it.each<[string, Uint8Array]>([
    ['signed with another key', requestDer({ key: KEY, signer: ecKey() })],
    ['with a key of RSA, signed with one on a curve', requestDer({ key: rsaKey(), signer: ecKey() })],
    ['with a key on a curve, signed with one of RSA', requestDer({ key: KEY, signer: rsaKey() })],
    ['with a key on a curve, signed with Ed25519', requestDer({ key: KEY, signer: ed25519Key() })],
    ['whose subject was changed', changed(GOOD, Buffer.from([0x0c, 1, 97]), Buffer.from([0x0c, 1, 98]))],
    ['whose names were changed', changed(GOOD, Buffer.from('https://a.'), Buffer.from('https://b.'))],
    ['with the key of somebody else in it', changed(GOOD, spkiOf(KEY), spkiOf(ecKey()))],
    ['without a signature', unsigned([])],
    ['with a signature of zeros', unsigned(sequence(der(2, [0]), der(2, [0])))],
    ['with a signature that is no ECDSA signature', unsigned(Buffer.alloc(64, 1))],
    ['with a signature of 1 and 1', unsigned(sequence(der(2, [1]), der(2, [1])))],
  ])('is refused as csr_signature_invalid: %s', (_, given) => {
    expect(reasonOf(given)).toBe('csr_signature_invalid');
  });
});

function changed(bytes: Buffer, from: Uint8Array, to: Uint8Array): Buffer {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  return Buffer.concat([bytes.subarray(0, at), to, bytes.subarray(at + from.length)]);
}

function unsigned(signature: Uint8Array | number[]): Buffer {
  const info = sequence(der(0x02, [0]), sequence(), spkiOf(KEY), der(0xa0));
  return sequence(info, sequence(oid('1.2.840.10045.4.3.2')), der(0x03, [0], signature));
}

/** One whose SubjectPublicKeyInfo is as given; its signature is another key's. */
function ofSpki(spki: Uint8Array): Buffer {
  const info = sequence(der(0x02, [0]), sequence(), spki, der(0xa0));
  return sequence(info, sequence(oid('1.2.840.10045.4.3.2')), der(0x03, [0], sequence(der(2, [1]), der(2, [1]))));
}

/** A key of RSA by its numbers. */
function rsaSpki(modulus: bigint, exponent: bigint): Buffer {
  const member = (number: bigint) => {
    const digits = number.toString(16);
    return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex').toString('base64url');
  };
  const jwk = { kty: 'RSA', n: member(modulus), e: member(exponent) };
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' });
}

const PRIME = generatePrimeSync(2048, { bigint: true });

describe('[F20] a weak key', () => {
  it.each<[string, Uint8Array, string]>([
    ['RSA with 1024 bits', requestDer({ key: rsaKey(1024) }), 'weak_key'],
    ['RSA with 2047 bits', requestDer({ key: rsaKey(2047) }), 'weak_key'],
    ['RSA with the exponent 3', requestDer({ key: rsaKey(2048, 3) }), 'weak_key'],
    ['RSA with an exponent of 257 bits', ofSpki(rsaSpki(PRIME, 2n ** 256n + 1n)), 'weak_key'],
    ['RSA with an even modulus', ofSpki(rsaSpki(PRIME * 2n, 65_537n)), 'weak_key'],
    ['RSA with a small factor', ofSpki(rsaSpki(PRIME * 751n, 65_537n)), 'weak_key'],
    ['RSA with nothing but a prime', ofSpki(rsaSpki(PRIME, 65_537n)), 'csr_signature_invalid'],
    ['P-192', requestDer({ key: ecKey('prime192v1') }), 'weak_key'],
    ['P-224', requestDer({ key: ecKey('secp224r1') }), 'weak_key'],
    ['brainpoolP192r1', requestDer({ key: ecKey('brainpoolP192r1') }), 'weak_key'],
    ['secp256k1', requestDer({ key: ecKey('secp256k1') }), 'algorithm_unsupported'],
    ['X25519, which signs nothing', ofSpki(spkiOf(generateKeyPairSync('x25519'))), 'csr_signature_invalid'],
    [
      'a point that is on no curve',
      ofSpki(changed(spkiOf(KEY), spkiOf(KEY).subarray(-8), Buffer.alloc(8, 7))),
      'certificate_malformed',
    ],
    ['a point written the short way', ofSpki(compressedSpki(KEY)), 'algorithm_unsupported'],
    ['no key', ofSpki(sequence()), 'certificate_malformed'],
  ])('is refused: %s', (_, given, reason) => {
    expect(reasonOf(given)).toBe(reason);
  });

  it.each(['md5', 'sha1', 'sha224'])('is refused with a signature over %s', (hash) => {
    expect(reasonOf(opensslRequest(rsaKey(), NAMES, `-${hash}`))).toBe('algorithm_unsupported');
  });

  it('is refused with RSASSA-PSS over SHA-1', () => {
    const options = ['-sha1', '-sigopt', 'rsa_padding_mode:pss'];
    expect(reasonOf(opensslRequest(rsaKey(), NAMES, ...options))).toBe('algorithm_unsupported');
  });
});

describe('[F20] hostile requests', () => {
  it.each<[string, Uint8Array | string, string]>([
    ['nothing', new Uint8Array(), 'certificate_malformed'],
    ['a byte after its end', Buffer.concat([GOOD, Buffer.alloc(1)]), 'trailing_data'],
    ['itself twice', Buffer.concat([GOOD, GOOD]), 'trailing_data'],
    ['an indefinite length', Buffer.concat([withLength(0x80), Buffer.alloc(2)]), 'certificate_malformed'],
    ['a length with a byte too many', withLength(0x83, 0, BODY >> 8, BODY & 0xff), 'certificate_malformed'],
    ['a length beyond its end', withLength(0x82, 0x7f, 0xff), 'certificate_malformed'],
    ['a length of 2^32', withLength(0x85, 1, 0, 0, 0, 0), 'certificate_malformed'],
    [
      'more than 16 KiB',
      requestDer({ key: KEY, attributes: [named(der(0x04, Buffer.alloc(MAX_REQUEST_BYTES)))] }),
      'request_malformed',
    ],
    [
      'nested without end',
      requestDer({ key: KEY, attributes: [sequence(oid('1.2.3'), der(0x31, nested(500)))] }),
      'certificate_malformed',
    ],
    [
      'extensions nested in an extension',
      requestDer({ key: KEY, attributes: [named(nested(500))] }),
      'extension_invalid',
    ],
    [
      'extensions twice',
      requestDer({ key: KEY, attributes: [wantedUris('https://a.example'), wantedUris('https://b.example')] }),
      'request_malformed',
    ],
    [
      'two lists of extensions',
      requestDer({ key: KEY, attributes: [sequence(oid(EXTENSION_REQUEST), der(0x31, sequence(), sequence()))] }),
      'request_malformed',
    ],
    ['an empty list of extensions', requestDer({ key: KEY, attributes: [asked()] }), 'extension_invalid'],
    [
      'the same extension twice',
      requestDer({
        key: KEY,
        attributes: [
          asked(
            ...[1, 2].map(() => sequence(oid('2.5.29.17'), der(0x04, sequence(der(0x82, Buffer.from('a.example')))))),
          ),
        ],
      }),
      'extension_invalid',
    ],
    [
      '65 extensions',
      requestDer({
        key: KEY,
        attributes: [asked(...Array.from({ length: 65 }, (_, number) => sequence(oid(`1.2.3.${number}`), der(0x04))))],
      }),
      'extension_invalid',
    ],
    [
      '257 alternative names',
      requestDer({ key: KEY, attributes: [wantedUris(...Array.from({ length: 257 }, (_, number) => `a:${number}`))] }),
      'extension_invalid',
    ],
    [
      '33 attributes',
      requestDer({ key: KEY, attributes: Array.from({ length: 33 }, () => sequence(oid('1.2.3'), der(0x31, der(5)))) }),
      'request_malformed',
    ],
    ['an attribute that is none', requestDer({ key: KEY, attributes: [sequence(oid('1.2.3'))] }), 'request_malformed'],
    ['a name with U+0000', requestDer({ key: KEY, subject: distinguishedName({ CN: 'a\0b' }) }), 'name_invalid'],
    [
      'a name of 1025 letters',
      requestDer({ key: KEY, subject: distinguishedName({ CN: 'a'.repeat(1025) }) }),
      'name_invalid',
    ],
    [
      'a host name with U+0000',
      requestDer({ key: KEY, attributes: [named(sequence(der(0x82, Buffer.from('a.example\0.evil'))))] }),
      'name_invalid',
    ],
    ['version 2', changed(GOOD, Buffer.from([2, 1, 0]), Buffer.from([2, 1, 1])), 'request_malformed'],
    ['a certificate', certificate(), 'request_malformed'],
    ['an empty sequence', sequence(), 'request_malformed'],
    ['PEM of something else', armoured('CERTIFICATE', GOOD), 'certificate_malformed'],
    ['PEM with something after it', `${requestPem()}x`, 'certificate_malformed'],
    ['PEM twice', requestPem() + requestPem(), 'certificate_malformed'],
    ['PEM of a megabyte', armoured('CERTIFICATE REQUEST', Buffer.alloc(1_000_000)), 'certificate_malformed'],
    [
      'PEM with a private key beside it',
      KEY.privateKey.export({ format: 'pem', type: 'pkcs8' }) + requestPem(),
      'private_key',
    ],
  ])('is refused: %s', (_, given, reason) => {
    expect(reasonOf(given)).toBe(reason);
  });

  it('messages repeat nothing of what was handed in', () => {
    const given = requestDer({ key: KEY, subject: distinguishedName({ CN: 'secret\0name' }) });
    expect(() => parseCertificateRequest(given)).toThrow(/^(?!.*secret).*invisible/);
  });

  it('one bit of which is another is never read as the same request', () => {
    for (const [index, byte] of GOOD.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        const given = Uint8Array.from(GOOD).with(index, byte ^ (1 << bit));
        if (reasonOf(given) === 'read') expect.fail(`bit ${bit} of byte ${index} may be another`);
      }
    }
  });

  it('is read or refused with a reason, whatever bytes or text come', () => {
    const change = fc.tuple(fc.nat(GOOD.length - 1), fc.nat(255));
    const mutated = fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
      const bytes = Uint8Array.from(GOOD);
      for (const [index, byte] of changes) bytes[index] = byte;
      return bytes;
    });
    const cut = fc.nat(GOOD.length - 1).map((length) => Uint8Array.from(GOOD.subarray(0, length)));
    const text = fc.string({ unit: 'binary' }).map((more) => `${requestPem({ key: KEY })}${more}`);
    fc.assert(
      fc.property(fc.oneof(mutated, cut, text, fc.uint8Array({ maxLength: 200 }), fc.string()), (given) => {
        expect(typeof reasonOf(given)).toBe('string');
      }),
      { numRuns: 1_500 },
    );
  });

  it('attributes of any shape in a request that is signed are read or refused with a reason', () => {
    const { value } = fc.letrec<{ value: Buffer }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc
          .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 0x0c, 0x82, 0x86, 0x87), fc.uint8Array({ maxLength: 12 }))
          .map(([tag, bytes]) => der(tag, bytes)),
        fc.constantFrom(oid(EXTENSION_REQUEST), oid('2.5.29.17'), oid('2.5.29.19'), oid('2.5.29.30'), der(1, [0xff])),
        fc
          .tuple(fc.constantFrom(0x30, 0x31, 0xa0, 0xa4), fc.array(tie('value'), { maxLength: 4 }))
          .map(([tag, parts]) => der(tag, ...parts)),
        tie('value').map((inner) => der(0x04, inner)),
      ),
    }));
    const attribute = fc.oneof(
      value,
      value.map((inner) => sequence(oid(EXTENSION_REQUEST), der(0x31, inner))),
      value.map(named),
    );
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 3 }), (attributes) => {
        expect(typeof reasonOf(requestDer({ key: KEY, attributes }))).toBe('string');
      }),
      { numRuns: 1_000 },
    );
  });
});
