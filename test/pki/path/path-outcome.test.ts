import { describe, expect, it } from 'vitest';
import { findPath, type NoPath, type ValidPath } from '../../../src/pki/path/find-path.ts';
import { readTrustAnchors } from '../../../src/pki/path/trust-anchors.ts';
import { MAX_CERTIFICATE_BYTES } from '../../../src/pki/pem.ts';
import {
  alternativeNames,
  below,
  CA,
  CHAIN,
  chain,
  generalName,
  leafOf,
  leafWith,
  nameConstraints,
  ourVerdict,
  type PathCase,
  policies,
  question,
  ROOT,
  root,
} from '../../support/certificate-paths.ts';
import { certificate, der, distinguishedName, ecKey, oid, rsaKey, sequence } from '../../support/certificates.ts';

function found(asked: PathCase): ValidPath {
  const outcome = findPath(question(asked));
  if ('refusal' in outcome) throw new Error(outcome.refusal.message);
  return outcome;
}
function refused(asked: PathCase): NoPath {
  const outcome = findPath(question(asked));
  if (!('refusal' in outcome)) throw new Error('there is a path');
  return outcome;
}

describe('[F21] a path that is found', () => {
  it('has all of its certificates, the time in which all are valid, and the policies that apply', () => {
    const authority = below(ROOT, { notBefore: '260301000000Z', extensions: [policies('1.2.3', '1.2.4')] });
    const leaf = leafOf(authority, { notAfter: '280301000000Z', extensions: [policies('1.2.4', '1.2.5')] });
    const { path, notBefore, notAfter, policies: applied } = found({ ...chain(authority, leaf), policies: {} });
    expect(path.map(({ place: { from, subject } }) => `${from} ${subject}`)).toEqual([
      'leaf O=Partner Ltd,CN=client.partner.example',
      'intermediates O=Intermediate',
      'anchors O=Root',
    ]);
    expect([notBefore, notAfter]).toEqual([Date.UTC(2026, 2, 1) / 1000, Date.UTC(2028, 2, 1) / 1000]);
    expect(applied).toEqual(['1.2.4']);
  });
});

describe('[F21] a refusal', () => {
  it('names the certificate and the rule and says what to do', () => {
    const { refusal } = refused({ leaf: leafOf(CA), anchors: [ROOT.der] });
    expect(refusal).toEqual({
      reason: 'chain_untrusted',
      certificate: {
        from: 'leaf',
        index: 0,
        subject: 'O=Partner Ltd,CN=client.partner.example',
        issuer: 'O=Intermediate',
        x5tS256: expect.stringMatching(/^[\w-]{43}$/),
      },
      rule: 'RFC 5280 §6.1.1 (d)',
      message: expect.stringContaining('send that one too, or have it put on the list'),
    });
  });

  it('is that of the attempt that came furthest; the others stand beside it', () => {
    const elsewhere = below(root({ subject: distinguishedName({ O: 'Elsewhere' }) }), { key: CA.key });
    const old = below(ROOT, { key: CA.key, notAfter: '260601000000Z' });
    const { refusal, attempts } = refused({
      leaf: leafOf(CA),
      intermediates: [elsewhere.der, old.der],
      anchors: [ROOT.der],
    });
    expect(refusal).toMatchObject({ reason: 'certificate_expired', certificate: { from: 'intermediates', index: 1 } });
    expect(attempts.map(({ reason }) => reason).toSorted()).toEqual(['certificate_expired', 'chain_untrusted']);
  });

  it('tells a certificate on the trust list, and one that signs itself, what they are', () => {
    expect(refused({ leaf: ROOT.der, anchors: [ROOT.der] }).refusal.message).toContain('is on the trust list itself');
    expect(refused({ leaf: certificate(), anchors: [ROOT.der] }).refusal.message).toContain(
      'names itself as its issuer',
    );
  });

  it('of what cannot be read says where it stands', () => {
    const junk = Buffer.from('30030201', 'hex');
    const { refusal } = refused({ leaf: leafOf(CA), intermediates: [CA.der, junk], anchors: [ROOT.der] });
    expect(refusal).toMatchObject({
      reason: 'certificate_malformed',
      certificate: { from: 'intermediates', index: 1, subject: null },
      rule: 'RFC 5280 §4.1, §4.2',
    });
    expect(() => readTrustAnchors([new Uint8Array(ROOT.der), new Uint8Array(junk)])).toThrow(
      'number 2 of the trust list',
    );
  });
});

describe('[F21] giants', () => {
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, at) => make(at));
  const nested = (depth: number): Buffer => (depth === 0 ? der(0x05) : sequence(nested(depth - 1)));
  const dns = (count: number) => alternativeNames(...many(count, (at) => generalName.dns(`h${at}.a`)));
  const attribute = der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from('a'))));

  it.each<[string, Buffer, string]>([
    [
      'a certificate',
      leafWith(CA, { type: '1.2.3', value: Buffer.alloc(MAX_CERTIFICATE_BYTES) }),
      'certificate_too_large leaf',
    ],
    ['a list of names', leafWith(CA, dns(257)), 'extension_invalid leaf'],
    [
      'a list of extensions',
      leafWith(CA, ...many(63, (at) => ({ type: `1.2.3.${at}`, value: der(0x05) }))),
      'extension_invalid leaf',
    ],
    ['an extension nested 30 deep', leafWith(CA, { type: '2.5.29.17', value: nested(30) }), 'extension_invalid leaf'],
    ['a name of 65 parts', leafOf(CA, { subject: sequence(...many(65, () => attribute)) }), 'name_invalid leaf'],
    ['an RSA exponent of 1024 bits', leafOf(CA, { spki: longExponent() }), 'algorithm_unsupported leaf'],
  ])('%s is refused before it costs anything', (_, leaf, expected) => {
    expect(ourVerdict({ leaf, ...CHAIN })).toBe(expected);
  });

  it('many names below many constraints are refused, not compared', () => {
    const limits = nameConstraints({ excluded: many(300, (at) => generalName.dns(`x${at}.b`)) });
    const [first, second] = [below(ROOT, { extensions: [limits] }), below(ROOT, { extensions: [limits] })];
    const narrow = below(first, { key: second.key, subject: distinguishedName({ O: 'Narrow' }), extensions: [limits] });
    const leaf = leafWith(narrow, dns(256));
    expect(ourVerdict({ leaf, intermediates: [first.der, narrow.der], anchors: [ROOT.der] })).toBe(
      'chain_too_complex leaf',
    );
    expect(ourVerdict(chain(first, leafWith(first, dns(256))))).toBe('valid');
  });

  it('on many ways cost no more than on one', () => {
    const limits = nameConstraints({ permitted: many(300, (at) => generalName.dns(`x${at}.b`)) });
    const key = ecKey();
    const ways = many(4, (at) => below(ROOT, { key, extensions: [limits], serial: [at + 1] }));
    const leaf = leafWith(ways[0] ?? ROOT, dns(200));
    const { attempts } = refused({ leaf, intermediates: ways.map((way) => way.der), anchors: [ROOT.der] });
    expect(attempts.map(({ reason }) => reason)).toEqual([
      ...['name_not_permitted', 'chain_too_complex', 'chain_too_complex', 'chain_too_complex'],
    ]);
  });

  function longExponent(): Buffer {
    const { n = '' } = rsaKey().publicKey.export({ format: 'jwk' });
    const modulus = der(0x02, [0], Buffer.from(n, 'base64url'));
    const exponent = der(0x02, [0x7f], Buffer.alloc(127, 0xff));
    return sequence(sequence(oid('1.2.840.113549.1.1.1'), der(0x05)), der(0x03, [0], sequence(modulus, exponent)));
  }
});
