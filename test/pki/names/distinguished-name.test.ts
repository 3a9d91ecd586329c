import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate-error.ts';
import { parseDer } from '../../../src/pki/der.ts';
import {
  type DistinguishedName,
  isSameName,
  isWithinName,
  parseDistinguishedName,
} from '../../../src/pki/names/distinguished-name.ts';
import { formatName, isNameString, parseNameString } from '../../../src/pki/names/name-string.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { der, oid, sequence } from '../../support/certificates.ts';

const [UTF8, PRINTABLE, TELETEX, IA5, BMP, UNIVERSAL] = [0x0c, 0x13, 0x14, 0x16, 0x1e, 0x1c];
const [CN, O, UID, ORGANISATION_IDENTIFIER] = ['2.5.4.3', '2.5.4.10', '0.9.2342.19200300.100.1.1', '2.5.4.97'];

type Attribute = readonly [type: string, value: string | Buffer, tag?: number];

const attribute = ([type, value, tag = UTF8]: Attribute): Buffer => sequence(oid(type), der(tag, Buffer.from(value)));
/** Each a set of one attribute, or of several. */
function name(...parts: (Attribute | Attribute[])[]): DistinguishedName {
  const sets = parts.map((part) => der(0x31, ...(isOne(part) ? [part] : part).map(attribute)));
  return parseDistinguishedName(parseDer(sequence(...sets)));
}
const isOne = (part: Attribute | Attribute[]): part is Attribute => typeof part[0] === 'string';

function reasonOf(act: () => unknown): string {
  try {
    act();
    return 'taken';
  } catch (error) {
    if (error instanceof CertificateError) return error.reason;
    throw error;
  }
}

describe('[RFC 5280 §7.1] names match', () => {
  it.each<[string, DistinguishedName, DistinguishedName, boolean]>([
    ['in other capitals', name([CN, 'Partner']), name([CN, 'PARTNER']), true],
    ['in other capitals of other letters', name([CN, 'ÄΣ']), name([CN, 'äς']), true],
    ['with other white space', name([CN, ' A   b\u00a0c ']), name([CN, 'a B C']), true],
    ['in another type of text', name([CN, 'A', PRINTABLE]), name([CN, 'a', IA5]), true],
    ['in two bytes a letter', name([CN, Buffer.from('\0Ä'.normalize(), 'latin1'), BMP]), name([CN, 'ä']), true],
    ['in four bytes a letter', name([CN, Buffer.from([0, 1, 0xf3, 0xe6]), UNIVERSAL]), name([CN, '🏦']), true],
    ['in Latin-1', name([CN, Buffer.from([0xe4]), TELETEX]), name([CN, 'Ä']), true],
    ['composed in another way', name([CN, 'a\u0308']), name([CN, 'ä']), true],
    [
      'in another order within a set',
      name([[CN, 'a'] as const, [O, 'b'] as const]),
      name([[O, 'B'] as const, [CN, 'A'] as const]),
      true,
    ],
    ['not without a space', name([CN, 'ab']), name([CN, 'a b']), false],
    ['not of another type', name([CN, 'a']), name([O, 'a']), false],
    ['not in another order', name([CN, 'a'], [O, 'b']), name([O, 'b'], [CN, 'a']), false],
    ['not with one more', name([CN, 'a']), name([CN, 'a'], [O, 'b']), false],
    [
      'not as a set in the place of two',
      name([[CN, 'a'] as const, [O, 'b'] as const]),
      name([CN, 'a'], [O, 'b']),
      false,
    ],
    ['not with a value that imitates another', name([CN, 'a"],["2.5.4.10=\\"b']), name([CN, 'a'], [O, 'b']), false],
    ['not with an i that has no dot', name([CN, 'ı']), name([CN, 'i']), false],
    ['not as bytes in the place of text', name([CN, 'a', 0x04]), name([CN, 'a']), false],
  ])('%s', (_, one, other, isSame) => {
    expect([isSameName(one, other), isSameName(other, one)]).toEqual([isSame, isSame]);
    expect(isWithinName(one, other)).toBe(isSame);
  });

  it.each<[string, () => unknown]>([
    ['with U+0000', () => name([CN, 'a\0b'])],
    ['written backwards', () => name([CN, 'a\u202eb'])],
    ...[0x00ad, 0x034f, 0x061c, 0x1806, 0x180b, 0x180e, 0x200b, 0x2060, 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xe0041].map(
      (point): [string, () => unknown] => [
        `with U+${point.toString(16)}, which nobody sees`,
        () => name([CN, `a${String.fromCodePoint(point)}b`]),
      ],
    ),
    ['with bytes that are not UTF-8', () => name([CN, Buffer.from([0xc3, 0x28])])],
    ['with bytes that are not ASCII', () => name([CN, Buffer.from([0xe4]), PRINTABLE])],
    ['with half a letter', () => name([CN, Buffer.from([0, 0x41, 0]), BMP])],
    ['with half a pair', () => name([CN, Buffer.from([0xd8, 0x3c]), BMP])],
    ['with a letter beyond all', () => name([CN, Buffer.from([0, 0x11, 0, 0]), UNIVERSAL])],
    ['of 65 attributes', () => name(...Array.from({ length: 65 }, () => [CN, 'a'] as const))],
    ['of 1025 letters', () => name([CN, 'a'.repeat(1025)])],
  ])('never %s', (_, make) => {
    expect(reasonOf(make)).toBe('name_invalid');
  });

  it('and no name is a set of nothing, or no set', () => {
    for (const bad of [sequence(der(0x31)), sequence(sequence()), der(0x31), sequence(der(0x31, sequence(oid(CN))))]) {
      expect(reasonOf(() => parseDistinguishedName(parseDer(bad)))).toBe('certificate_malformed');
    }
  });
});

describe('[RFC 4514] a name as text', () => {
  const SUBJECT = name(
    [O, 'Bänk, "A" + B'],
    [ORGANISATION_IDENTIFIER, 'PSDGB-FCA-123'],
    [[CN, '#a '] as const, [UID, 'x;y'] as const],
  );

  it('is written with the last part first, and with numbers and DER for all types but nine', () => {
    expect(formatName(SUBJECT)).toBe(
      'CN=\\#a\\ +UID=x\\;y,2.5.4.97=#0c0d50534447422d4643412d313233,O=Bänk\\, \\"A\\" \\+ B',
    );
    expect(formatName(SUBJECT, 'readable')).toBe(
      'CN=\\#a\\ +UID=x\\;y,organizationIdentifier=PSDGB-FCA-123,O=Bänk\\, \\"A\\" \\+ B',
    );
    expect(formatName(name())).toBe('');
    expect(formatName(name([CN, 'a', 0x04]))).toBe('CN=#040161');
  });

  it.each([
    ['as we write it', formatName(SUBJECT)],
    ['as people write it', formatName(SUBJECT, 'readable')],
    [
      'with spaces and other capitals',
      'uid = X\\;Y + cn=\\#A\\  , ORGANIZATIONIDENTIFIER=psdgb-fca-123, o=bänk\\, \\"a\\" \\+ b',
    ],
    ['with other escapes', 'CN=\\23a\\20+UID=x\\3by,2.5.4.97=PSDGB-FCA-123,O=B\\c3\\a4nk\\2c \\22A\\22 \\2B B'],
    [
      'with another type of text',
      'CN=\\#a+UID=x\\;y,OID.2.5.4.97=#130d50534447422d4643412d313233,O=Bänk\\, \\"A\\" \\+ B',
    ],
    [
      'with all in DER',
      formatName(SUBJECT).replace(/O=.*/, `2.5.4.10=#0c0e${Buffer.from('Bänk, "A" + B').toString('hex')}`),
    ],
  ])('is the same %s', (_, text) => {
    expect(isNameString(text, SUBJECT)).toBe(true);
  });

  it.each([
    ['with parts turned round', 'O=b,CN=a'],
    ['with a part missing', 'CN=a'],
    ['with another value', 'CN=a,O=c'],
    ['with one set', 'CN=a+O=b'],
    ['of nothing', ''],
  ])('is another %s', (_, text) => {
    expect(isNameString(text, name([O, 'b'], [CN, 'a']))).toBe(false);
  });

  it.each([
    'CN',
    'CN=a,',
    ',CN=a',
    'CN=a+',
    'CN=a;O=b',
    'CN="a"',
    'XY=a',
    '1.2.=a',
    '3.1=a',
    'CN=#zz',
    'CN=#0c05',
    'CN=#',
    'CN=a\\',
    'CN=\\x',
    'CN=\\c3',
    'CN=\\00',
    'CN=a<b',
    '=a',
    `CN=${'a'.repeat(5000)}`,
    '2.5.4.3=#0c01610',
    'CN=#0c0161 x',
  ])('is none: %s', (text) => {
    expect(reasonOf(() => parseNameString(text))).toBe('name_invalid');
  });

  it('comes back as the same name, whatever its values are', () => {
    const value = fc
      .string({ unit: 'grapheme', maxLength: 20 })
      .filter((text) => !/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u1806\ufffd]/u.test(text));
    const type = fc.constantFrom(CN, O, UID, ORGANISATION_IDENTIFIER, '1.2.3.4');
    const part = fc.array(fc.tuple(type, value), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const made = name(...parts);
        return isNameString(formatName(made), made) && isNameString(formatName(made, 'readable'), made);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        ['taken', 'name_invalid'].includes(reasonOf(() => parseNameString(text))),
      ),
    );
  });
});

it('every root that Node knows is read as Node reads it', () => {
  expect(rootCertificates.length).toBeGreaterThan(50);
  for (const pem of rootCertificates) {
    const oracle = new X509Certificate(pem);
    const root = parsePathCertificate(new Uint8Array(oracle.raw), 'anchors');
    const dates = [root.notBefore, root.notAfter].map((seconds) => seconds * 1000);
    expect(dates).toEqual([Date.parse(oracle.validFrom), Date.parse(oracle.validTo)]);
    expect([root.isAuthority, root.unknownCritical]).toEqual([true, []]);
    for (const form of ['standard', 'readable'] as const) {
      expect(isNameString(formatName(root.subject, form), root.subject)).toBe(true);
    }
  }
});
