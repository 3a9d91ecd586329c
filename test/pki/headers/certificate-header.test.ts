import { createHash, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CERTIFICATE_HEADER_FORMS,
  type CertificateHeaderForm,
  type CertificateHeaders,
  readCertificateHeader,
} from '../../../src/pki/headers/certificate-header.ts';
import { MAX_HEADER_LENGTH } from '../../../src/pki/headers/encodings.ts';
import { parseForwardedElements } from '../../../src/pki/headers/forwarded-client-cert.ts';
import { CERTIFICATE_HEADER_REASONS, CertificateHeaderError } from '../../../src/pki/headers/header-error.ts';
import { certificate, chainOf, der, distinguishedName, ecKey, pem, sequence } from '../../support/certificates.ts';

const [LEAF, CA] = chainOf();
const [, NAMESAKE] = chainOf();
const ISSUER = { key: ecKey(), name: distinguishedName({ CN: 'One CA' }) };
const ISSUED = certificate({ issuer: ISSUER });
const RENAMED = certificate({ key: ISSUER.key, subject: distinguishedName({ CN: 'Other CA' }) });
const OTHER = certificate();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
/** As nginx and Envoy escape: all but letters, digits and a few signs. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const PEM = new X509Certificate(LEAF).toString();

/** What each gateway writes for the leaf. */
const WRITTEN: Record<CertificateHeaderForm, string> = {
  rfc9440: `:${base64(LEAF)}:`,
  nginx: escaped(PEM),
  xfcc: `By=spiffe://a;Hash=${hash(LEAF)};Cert="${escaped(PEM)}";Subject="CN=\\"a, b\\";O=x";URI=spiffe://a/?b=c;DNS=a;DNS=b`,
  traefik: base64(LEAF),
  caddy: base64(LEAF),
  apache: PEM.trim().replaceAll('\n', ' '),
};
const FORMS = Object.entries(WRITTEN) as [CertificateHeaderForm, string][];

function outcome(form: CertificateHeaderForm, ...values: string[]): string {
  return outcomeOf(form, { certificate: values });
}

/** `taken` with how many above, `none`, or the reason. */
function outcomeOf(form: CertificateHeaderForm, headers: CertificateHeaders): string {
  try {
    const read = readCertificateHeader(form, headers);
    if (read === null) return 'none';
    return `taken ${read.chain.length}`;
  } catch (error) {
    if (!(error instanceof CertificateHeaderError)) throw error;
    expect(CERTIFICATE_HEADER_REASONS).toContain(error.reason);
    return error.reason;
  }
}

describe.each(FORMS)('[F41] the header of %s', (form, written) => {
  it('has the certificate, byte by byte', () => {
    expect(outcome(form, written)).toBe('taken 0');
    expect(outcome(form, ` ${written}\t`)).toBe('taken 0');
    expect(Buffer.from(readCertificateHeader(form, { certificate: [written] })?.leaf ?? []).equals(LEAF)).toBe(true);
  });

  it('may say that there is none', () => {
    expect([outcome(form), outcome(form, ''), outcome(form, ' ')]).toEqual(['none', 'none', 'none']);
  });

  it('is refused where it stands twice, joined or not, the same or another', () => {
    expect(outcome(form, written, written)).toBe('header_repeated');
    expect(outcome(form, written, '')).toBe('header_repeated');
    expect(outcome(form, '', written)).toBe('header_repeated');
    expect(outcome(form, `${written}, ${written}`)).toMatch(/^header_(?:malformed|repeated)$/);
    expect(outcome(form, `${written} ${written}`)).toMatch(/^header_(?:malformed|repeated)$/);
  });

  it('is refused wherever it is cut', () => {
    const at = [1, 2, 10, 30, written.length >> 1, written.length - 40, written.length - 30];
    const last = form === 'xfcc' ? [] : [written.length - 5, written.length - 1];
    for (const length of [...at, ...last]) {
      expect(outcome(form, written.slice(0, length)), `${length}`).toMatch(
        /^(?:header_malformed|header_contradictory|taken 0)$/,
      );
      if (form !== 'xfcc') expect(outcome(form, written.slice(0, length)), `${length}`).toBe('header_malformed');
    }
  });

  it('is refused as that of each other form, but for the two that are one', () => {
    for (const [other, text] of FORMS) {
      const isSame = other === form || [form, other].toSorted().join() === 'caddy,traefik';
      expect(outcome(form, text), other).toMatch(isSame ? /^taken/ : /^header_malformed$/);
    }
  });

  it('is refused when it is giant', () => {
    expect(outcome(form, 'A'.repeat(MAX_HEADER_LENGTH + 1))).toBe('header_too_large');
    expect(outcome(form, `A${' '.repeat(MAX_HEADER_LENGTH - 2)}A`)).toBe('header_malformed');
    expect(outcome(form, written.repeat(Math.ceil(MAX_HEADER_LENGTH / written.length) + 1))).toBe('header_too_large');
  });

  it('is taken or refused with a reason, whatever is in it', () => {
    const at = fc.nat(written.length);
    const changed = fc.tuple(at, fc.nat(8), fc.string({ unit: 'binary', maxLength: 8 }));
    fc.assert(
      fc.property(changed, ([start, removed, added]) => {
        const text = written.slice(0, start) + added + written.slice(start + removed);
        return typeof outcome(form, text) === 'string';
      }),
      { numRuns: 300 },
    );
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[:=;,"\\%+/A-Za-z0-9 -]*$/));
    fc.assert(
      fc.property(
        fc.array(any, { maxLength: 3 }),
        (values) => !outcomeOf(form, { certificate: values }).startsWith('taken'),
      ),
    );
  });
});

describe('[F41] forms and their limits', () => {
  it('each form has a gateway', () => {
    expect(CERTIFICATE_HEADER_FORMS).toEqual(Object.keys(WRITTEN));
  });

  const big = sequence(der(0x04, Buffer.alloc(17_000)));
  const url = base64(LEAF).replaceAll('+', '-').replaceAll('/', '_');
  it.each<[CertificateHeaderForm, string, string, string]>([
    ['rfc9440', 'an empty byte sequence', '::', 'none'],
    ['rfc9440', 'a parameter', `:${base64(LEAF)}:;a=1`, 'header_malformed'],
    [
      'rfc9440',
      'no padding',
      `:${base64(Buffer.concat([LEAF, Buffer.alloc(1)])).replaceAll('=', '')}:`,
      'header_malformed',
    ],
    ['rfc9440', 'a space in it', `: ${base64(LEAF)}:`, 'header_malformed'],
    ['rfc9440', 'a list of two', `:${base64(LEAF)}:,:${base64(CA)}:`, 'header_malformed'],
    ['rfc9440', 'a certificate too large', `:${base64(big)}:`, 'header_too_large'],
    [
      'rfc9440',
      'bytes behind the certificate',
      `:${base64(Buffer.concat([LEAF, Buffer.alloc(3)]))}:`,
      'header_malformed',
    ],
    ['rfc9440', 'something else than a sequence', `:${base64(der(0x04, LEAF))}:`, 'header_malformed'],
    ['caddy', 'base64 for URLs', `${url.slice(0, -4)}-_==`, 'header_malformed'],
    ['caddy', 'a line end', `${base64(LEAF).slice(0, 64)} ${base64(LEAF).slice(64)}`, 'header_malformed'],
    ['caddy', 'a chain', `${base64(LEAF)},${base64(CA)}`, 'header_malformed'],
    ['nginx', 'two certificates', escaped(pem(LEAF, CA)), 'header_repeated'],
    ['nginx', 'PEM that is not escaped', PEM, 'header_malformed'],
    ['nginx', 'what is escaped twice', escaped(escaped(PEM)), 'header_malformed'],
    ['nginx', 'half an escape', `${escaped(PEM)}%2`, 'header_malformed'],
    ['nginx', 'a plus sign as it is', escaped(PEM).replaceAll('%2B', '+'), 'taken 0'],
    [
      'nginx',
      'a private key',
      escaped(ecKey().privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()),
      'header_malformed',
    ],
    ['nginx', 'a certificate and more', escaped(`${PEM}hello`), 'header_malformed'],
    ['traefik', 'a chain', `${base64(LEAF)},${base64(CA)}`, 'taken 1'],
    ['traefik', 'a chain, escaped', escaped(`${base64(LEAF)},${base64(CA)}`), 'taken 1'],
    ['traefik', 'a chain with an empty part', `${base64(LEAF)},,${base64(CA)}`, 'header_malformed'],
    ['traefik', 'two headers joined', `${base64(OTHER)},${base64(LEAF)}`, 'header_malformed'],
    ['traefik', 'two chains joined', [LEAF, CA, LEAF, CA].map(base64).join(), 'header_malformed'],
    ['traefik', 'an issuer by its name alone', `${base64(LEAF)},${base64(NAMESAKE)}`, 'header_malformed'],
    ['traefik', 'an issuer by its key alone', [ISSUED, RENAMED].map(base64).join(), 'header_malformed'],
    ['traefik', 'a chain of no certificates', `${base64(LEAF)},${base64(sequence())}`, 'header_malformed'],
    ['traefik', 'a chain of twelve', Array<string>(12).fill(base64(LEAF)).join(), 'header_too_large'],
    ['traefik', 'armour', escaped(PEM), 'header_malformed'],
    ['apache', 'none', '(null)', 'none'],
    ['apache', 'tabs for line ends', PEM.trim().replaceAll('\n', '\t'), 'taken 0'],
  ])('%s with %s', (form, _, value, expected) => {
    expect(outcome(form, value)).toBe(expected);
  });

  const chain = (...values: string[]) => outcomeOf('rfc9440', { certificate: [WRITTEN.rfc9440], chain: values });
  it('Client-Cert-Chain is a list, in one header or several, without the leaf', () => {
    const item = `:${base64(CA)}:`;
    expect([chain(), chain(''), chain(item), chain(`${item} ,\t${item}`), chain(item, item)]).toEqual([
      'taken 0',
      'taken 0',
      'taken 1',
      'taken 2',
      'taken 2',
    ]);
    expect([chain(`${item},`), chain(`${item} ${item}`), chain(`(${item})`), chain('::'), chain(`${item};a`)]).toEqual(
      Array<string>(5).fill('header_malformed'),
    );
    expect(chain(Array<string>(11).fill(item).join())).toBe('header_too_large');
    expect(outcomeOf('rfc9440', { certificate: [], chain: [item] })).toBe('header_malformed');
    expect(outcomeOf('rfc9440', { certificate: ['::'], chain: [item] })).toBe('header_malformed');
  });
});

describe('[F41] x-forwarded-client-cert', () => {
  const cert = `Cert="${escaped(PEM)}"`;
  const hashed = `Hash=${hash(LEAF)}`;
  it.each([
    ['no certificate', hashed, 'header_malformed'],
    ['an address alone', 'By=spiffe://a', 'header_malformed'],
    ['an empty certificate', `${hashed};Cert=""`, 'header_malformed'],
    ['an empty certificate and a chain', `${hashed};Cert="";Chain="${escaped(pem(LEAF, CA))}"`, 'header_malformed'],
    ['keys in small letters', `${hashed.replace('Hash', 'hash')};${cert.replace('Cert', 'cert')}`, 'taken 0'],
    ['a certificate without quotes', `${hashed};Cert=${escaped(PEM)}`, 'taken 0'],
    ['a hash in capitals', `Hash=${hash(LEAF).toUpperCase()};${cert}`, 'taken 0'],
    ['no hash', cert, 'header_contradictory'],
    ['the hash of another', `Hash=${hash(OTHER)};${cert}`, 'header_contradictory'],
    ['a chain that begins with it', `${hashed};${cert};Chain="${escaped(pem(LEAF, CA))}"`, 'taken 1'],
    ['a chain alone', `${hashed};Chain="${escaped(pem(LEAF, CA))}"`, 'taken 1'],
    ['a chain without it', `${hashed};${cert};Chain="${escaped(pem(CA))}"`, 'header_contradictory'],
    ['a certificate twice', `${hashed};${cert};${cert}`, 'header_repeated'],
    ['two certificates in one', `${hashed};Cert="${escaped(pem(LEAF, CA))}"`, 'header_repeated'],
    ['a certificate smuggled in by a URI', `Hash=${hash(OTHER)};URI=a;${hashed};${cert}`, 'header_repeated'],
    ['an element smuggled in by a URI', `Hash=${hash(OTHER)};URI=a,${hashed};${cert}`, 'header_repeated'],
    ['two elements', `${hashed};${cert},${hashed};${cert}`, 'header_repeated'],
    ['a quote that does not end', `${hashed};Cert="${escaped(PEM)}`, 'header_malformed'],
    ['text behind a quote', `${hashed};${cert}x`, 'header_malformed'],
    ['a semicolon at the end', `${hashed};${cert};`, 'header_malformed'],
    ['a comma at the end', `${hashed};${cert},`, 'header_malformed'],
    ['a key without a value', `${hashed};Cert`, 'header_malformed'],
    ['one pair too many', `${hashed};${Array<string>(600).fill('DNS=a').join(';')}`, 'header_malformed'],
  ])('with %s', (_, value, expected) => {
    expect(outcome('xfcc', value)).toBe(expected);
  });

  it('is split at commas and semicolons outside quotes alone', () => {
    expect(parseForwardedElements('By=a;Subject="O=\\"x, y\\";\\\\";URI=u?a=b, Hash=1')).toEqual([
      [
        ['by', 'a'],
        ['subject', 'O="x, y";\\'],
        ['uri', 'u?a=b'],
      ],
      [['hash', '1']],
    ]);
  });
});
