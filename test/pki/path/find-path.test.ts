import { constants, generateKeyPairSync, sign } from 'node:crypto';
import {
  type Authority,
  authorityKeyId,
  basicConstraints,
  below,
  CA,
  CHAIN,
  chain,
  judgeBeside,
  leafOf,
  leafWith,
  type PathCase,
  type PathRow,
  ROOT,
  root,
  subjectKeyId,
} from '../../support/certificate-paths.ts';
import {
  CLIENT_NAME,
  certificate,
  DIGITAL_SIGNATURE,
  der,
  distinguishedName,
  ecKey,
  oid,
  rsaKey,
  sequence,
} from '../../support/certificates.ts';

const OTHER_ROOT = root();
const ROOT_WITH_ID = root({ extensions: [subjectKeyId(1)] });
const LEAF = leafOf(CA);
const RSA = rsaKey();
const WEAK_RSA = rsaKey(1024);
const ED25519 = generateKeyPairSync('ed25519');

const sha = (name: string) => sequence(oid(name), der(0x05));
const [SHA1_HASH, SHA256_HASH] = [sha('1.3.14.3.2.26'), sha('2.16.840.1.101.3.4.2.1')];
const pssAlgorithm = (hash: Buffer, saltLength: number): Buffer =>
  sequence(
    oid('1.2.840.113549.1.1.10'),
    sequence(
      der(0xa0, hash),
      der(0xa1, sequence(oid('1.2.840.113549.1.1.8'), hash)),
      der(0xa2, der(0x02, [saltLength])),
    ),
  );
const pss = (hash: 'sha1' | 'sha256') => ({
  signatureAlgorithm: hash === 'sha1' ? pssAlgorithm(SHA1_HASH, 20) : pssAlgorithm(SHA256_HASH, 32),
  signer: (tbs: Buffer) =>
    sign(hash, tbs, {
      key: RSA.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: hash === 'sha1' ? 20 : 32,
    }),
});

const RSA_CA = below(ROOT, { key: RSA });
const crossName = distinguishedName({ O: 'Crossed' });
const crossed = below(ROOT, { subject: crossName });
const crossedElsewhere = below(OTHER_ROOT, { subject: crossName, key: crossed.key });
const crossedExpired = below(ROOT, { subject: crossName, key: crossed.key, notAfter: '260601000000Z' });

function loop(): PathCase {
  const [keyA, keyB, keyC] = [ecKey(), ecKey(), ecKey()];
  const [a, b, c] = ['A', 'B', 'C'].map((O) => distinguishedName({ O }));
  const of = (key: typeof keyA, subject: Buffer, issuerKey: typeof keyA, issuer: Buffer): Authority =>
    below({ key: issuerKey, name: issuer, der: Buffer.alloc(0) }, { key, subject });
  const first = of(keyA, a!, keyB, b!);
  const others = [of(keyB, b!, keyC, c!), of(keyC, c!, keyA, a!), of(keyA, a!, keyC, c!), of(keyB, b!, keyA, a!)];
  return { leaf: leafOf(first), intermediates: [first, ...others].map((one) => one.der), anchors: [ROOT.der] };
}

function tower(height: number, plans: Record<number, Parameters<typeof below>[1]> = {}): PathCase {
  const authorities: Authority[] = [];
  for (let level = 0; level < height; level++) {
    const subject = distinguishedName({ O: `Level ${level}` });
    authorities.push(below(authorities.at(-1) ?? ROOT, { subject, ...plans[level] }));
  }
  return {
    leaf: leafOf(authorities.at(-1) ?? ROOT),
    intermediates: authorities.map((one) => one.der),
    anchors: [ROOT.der],
  };
}

const PATHS: PathRow[] = [
  ['a leaf of the anchor', { leaf: leafOf(ROOT), anchors: [ROOT.der] }, 'valid'],
  ['a leaf of an authority below it', { leaf: LEAF, ...CHAIN }, 'valid'],
  ['an anchor that is no root', { leaf: LEAF, anchors: [CA.der] }, 'valid'],
  [
    'authorities in another order, twice, with the root and strangers',
    {
      ...tower(4),
      ...{ intermediates: [...tower(1).intermediates!, OTHER_ROOT.der, ROOT.der, LEAF, LEAF] },
      leaf: leafOf(ROOT),
    },
    'valid',
  ],
  ['four authorities, the highest last', reversed(tower(4)), 'valid'],
  ['ten authorities', tower(10), 'valid'],
  ['no authority sent along', { leaf: LEAF, anchors: [ROOT.der] }, 'chain_untrusted leaf'],
  [
    'a stranger’s root sent along',
    { leaf: leafOf(OTHER_ROOT), intermediates: [OTHER_ROOT.der], anchors: [] },
    'chain_untrusted intermediates[0]',
  ],
  [
    'the name of the root with another key',
    { leaf: leafOf(OTHER_ROOT), anchors: [ROOT.der] },
    'signature_invalid leaf',
  ],
  ['a leaf that signs itself', { leaf: certificate(), anchors: [ROOT.der] }, 'chain_untrusted leaf'],
  ['a loop of authorities', loop(), 'chain_untrusted intermediates[2]'],
  [
    'an authority crossed by a stranger first',
    { leaf: leafOf(crossed), intermediates: [crossedElsewhere.der, crossed.der], anchors: [ROOT.der] },
    'valid',
    'openssl follows the first name that fits; we try all',
  ],
  [
    'an authority with an expired certificate first',
    { leaf: leafOf(crossed), intermediates: [crossedExpired.der, crossed.der], anchors: [ROOT.der] },
    'valid',
  ],
  [
    'an anchor that is expired beside one that is not',
    { leaf: LEAF, intermediates: [CA.der], anchors: [root({ ...expired(), key: ROOT.key }).der, ROOT.der] },
    'valid',
  ],
  ['an old and a new key of the root, the new one certified by the old', rollover(), 'valid'],
  [
    'a key identifier that is not the one of its authority',
    { leaf: leafWith(ROOT_WITH_ID, authorityKeyId(2)), anchors: [ROOT_WITH_ID.der] },
    'valid',
    'openssl wants them to agree; for RFC 4158 §3.5.12 they are hints, and the signature decides',
  ],
];

function reversed(asked: PathCase): PathCase {
  return { ...asked, intermediates: asked.intermediates?.toReversed() };
}
function expired(): { notBefore: string; notAfter: string } {
  return { notBefore: '250101000000Z', notAfter: '260101000000Z' };
}
function rollover(): PathCase {
  const old = root({ extensions: [subjectKeyId(1)] });
  const renewed = below(old, { subject: old.name, extensions: [subjectKeyId(2), authorityKeyId(1)] });
  return { leaf: leafWith(renewed, authorityKeyId(2)), intermediates: [renewed.der], anchors: [old.der] };
}

const SIGNATURES: PathRow[] = [
  ['RSA with SHA-256', chain(RSA_CA), 'valid'],
  ['RSASSA-PSS with SHA-256', chain(RSA_CA, leafOf(RSA_CA, pss('sha256'))), 'valid'],
  ['RSASSA-PSS with SHA-1', chain(RSA_CA, leafOf(RSA_CA, pss('sha1'))), 'algorithm_unsupported leaf'],
  ['Ed25519', ed25519Chain(), 'valid'],
  ['P-384 and SHA-384', p384Chain(), 'valid'],
  [
    'ECDSA with SHA-1',
    chain(CA, leafOf(CA, { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' })),
    'algorithm_unsupported leaf',
  ],
  [
    'RSA with SHA-1',
    chain(
      RSA_CA,
      leafOf(RSA_CA, { signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.5'), der(0x05)), hash: 'sha1' }),
    ),
    'algorithm_unsupported leaf',
  ],
  [
    'RSA with MD5',
    chain(
      RSA_CA,
      leafOf(RSA_CA, { signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.4'), der(0x05)), hash: 'md5' }),
    ),
    'algorithm_unsupported leaf',
  ],
  [
    'an authority signed with SHA-1',
    chain(below(ROOT, { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' })),
    'algorithm_unsupported intermediates[0]',
  ],
  ['a root that signs itself with SHA-1', sha1Root(), 'valid'],
  ['a leaf with RSA of 1024 bits', { leaf: leafOf(CA, { key: WEAK_RSA }), ...CHAIN }, 'weak_key leaf'],
  ['an authority with RSA of 1024 bits', chain(below(ROOT, { key: WEAK_RSA })), 'weak_key intermediates[0]'],
  [
    'an authority on secp256k1',
    chain(below(ROOT, { key: ecKey('secp256k1') })),
    'algorithm_unsupported intermediates[0]',
    'openssl takes every curve of its level',
  ],
  [
    'a leaf on P-224',
    { leaf: leafOf(CA, { key: ecKey('secp224r1') }), ...CHAIN },
    'weak_key leaf',
    'openssl: 112 bits are its level 2',
  ],
  [
    'two algorithms for one signature',
    { leaf: leafOf(CA, { outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) }), ...CHAIN },
    'certificate_malformed leaf',
  ],
];

function ed25519Chain(): PathCase {
  const plan = {
    signatureAlgorithm: sequence(oid('1.3.101.112')),
    signer: (tbs: Buffer) => sign(null, tbs, ED25519.privateKey),
  };
  const authority = below(ROOT, { key: ED25519 });
  return chain(authority, leafOf(authority, plan));
}
function p384Chain(): PathCase {
  const authority = below(ROOT, { key: ecKey('P-384') });
  return chain(
    authority,
    leafOf(authority, { signatureAlgorithm: sequence(oid('1.2.840.10045.4.3.3')), hash: 'sha384' }),
  );
}
function sha1Root(): PathCase {
  const old = root({ signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1', serial: [0] });
  return { leaf: leafOf(old), anchors: [old.der] };
}

const YEAR_2050 = 2_524_608_000;
const DATES: PathRow[] = [
  ['an expired leaf', { leaf: leafOf(CA, expired()), ...CHAIN }, 'certificate_expired leaf'],
  [
    'a leaf of tomorrow',
    { leaf: leafOf(CA, { notBefore: '270116000000Z' }), ...CHAIN },
    'certificate_not_yet_valid leaf',
  ],
  [
    'the last second',
    { leaf: leafOf(CA, { notAfter: '270115100000Z' }), ...CHAIN, now: 1_800_007_200 },
    'valid',
    'for openssl it is over; RFC 5280 §4.1.2.5 counts it in',
  ],
  [
    'the second after',
    { leaf: leafOf(CA, { notAfter: '270115100000Z' }), ...CHAIN, now: 1_800_007_201 },
    'certificate_expired leaf',
  ],
  ['an expired authority', chain(below(ROOT, expired())), 'certificate_expired intermediates[0]'],
  ['an expired anchor', expiredRoot(), 'certificate_expired anchors[0]'],
  ['the year 2050 as GeneralizedTime', farChain('20501231235959Z'), 'valid'],
  ['the year 9999', farChain('99991231235959Z'), 'valid'],
  [
    'UTCTime of 1950, which is past',
    { leaf: leafOf(CA, { notBefore: '490101000000Z', notAfter: '500101000000Z' }), ...CHAIN },
    'validity_invalid leaf',
  ],
  [
    'a leaf from 1951 on',
    { leaf: leafOf(CA, { notBefore: '510101000000Z' }), ...CHAIN },
    'validity_invalid leaf',
    'openssl counts below 0',
  ],
  ['GeneralizedTime before 2050', { leaf: leafOf(CA, { notAfter: '20300101000000Z' }), ...CHAIN }, 'valid'],
  [
    'a time with fractions',
    { leaf: leafOf(CA, { notAfter: '20300101000000.5Z' }), ...CHAIN },
    'certificate_malformed leaf',
  ],
  [
    'a time with a zone',
    { leaf: leafOf(CA, { notAfter: '20300101000000+0100' }), ...CHAIN },
    'certificate_malformed leaf',
  ],
  ['the 30th of February', { leaf: leafOf(CA, { notAfter: '300230000000Z' }), ...CHAIN }, 'validity_invalid leaf'],
  ['the 29th of February of a leap year', { leaf: leafOf(CA, { notAfter: '280229000000Z' }), ...CHAIN }, 'valid'],
  [
    'the 29th of February of another year',
    { leaf: leafOf(CA, { notAfter: '290229000000Z' }), ...CHAIN },
    'validity_invalid leaf',
  ],
];

function expiredRoot(): PathCase {
  const old = root(expired());
  return { leaf: leafOf(old), anchors: [old.der] };
}
function farChain(notAfter: string): PathCase {
  const far = root({ notAfter });
  const authority = below(far, { notAfter });
  return { leaf: leafOf(authority, { notAfter }), intermediates: [authority.der], anchors: [far.der], now: YEAR_2050 };
}

const AUTHORITIES: PathRow[] = [
  [
    'an issuer without basic constraints',
    chain(below(ROOT, { extensions: [{ type: '2.5.29.19', value: sequence() }] })),
    'issuer_not_authority intermediates[0]',
  ],
  ['a leaf that issues', leafThatIssues(), 'issuer_not_authority intermediates[0]'],
  [
    'an anchor that is no authority',
    { leaf: leafOf({ ...CA, der: LEAF, name: CLIENT_NAME, key: CA.key }), anchors: [certificate({ key: CA.key })] },
    'issuer_not_authority anchors[0]',
  ],
  [
    'an authority whose key may not sign certificates',
    chain(below(ROOT, { extensions: [DIGITAL_SIGNATURE] })),
    'issuer_not_authority intermediates[0]',
  ],
  [
    'an authority without a key usage',
    chain(below(ROOT, { extensions: [basicConstraints(true), withoutKeyUsage()] })),
    'valid',
  ],
  ['a path length of 0 and a leaf', chain(below(ROOT, { maxPathLength: 0 })), 'valid'],
  ['a path length of 0 and one more', tower(2, { 0: { maxPathLength: 0 } }), 'path_too_long intermediates[1]'],
  ['a path length of 1 and one more', tower(2, { 0: { maxPathLength: 1 } }), 'valid'],
  ['a path length of 1 and two more', tower(3, { 0: { maxPathLength: 1 } }), 'path_too_long intermediates[2]'],
  [
    'a shorter path length further down',
    tower(3, { 0: { maxPathLength: 5 }, 1: { maxPathLength: 0 } }),
    'path_too_long intermediates[2]',
  ],
  ['a path length of the anchor', anchorWithPathLength(), 'path_too_long intermediates[0]'],
  ['a self-issued one, which is not counted', selfIssued(), 'valid'],
  [
    'a path length of no authority',
    { leaf: leafWith(CA, basicConstraints(false, 1)), ...CHAIN },
    'extension_invalid leaf',
    'openssl looks away unless -x509_strict',
  ],
  ['a negative path length', chain(below(ROOT, { maxPathLength: 0x80 })), 'extension_invalid intermediates[0]'],
];

function withoutKeyUsage() {
  return { type: '1.2.3.4', value: der(0x05) };
}
function leafThatIssues(): PathCase {
  const key = ecKey();
  const leaf = leafOf(CA, { key });
  return { leaf: leafOf({ key, name: CLIENT_NAME, der: leaf }), intermediates: [leaf, CA.der], anchors: [ROOT.der] };
}
function anchorWithPathLength(): PathCase {
  const short = root({ maxPathLength: 0 });
  const authority = below(short);
  return { leaf: leafOf(authority), intermediates: [authority.der], anchors: [short.der] };
}
function selfIssued(): PathCase {
  const first = below(ROOT, { maxPathLength: 0, extensions: [subjectKeyId(1)] });
  const renewed = below(first, { subject: first.name, extensions: [subjectKeyId(2), authorityKeyId(1)] });
  return { leaf: leafWith(renewed, authorityKeyId(2)), intermediates: [renewed.der, first.der], anchors: [ROOT.der] };
}

judgeBeside({ paths: PATHS, signatures: SIGNATURES, dates: DATES, authorities: AUTHORITIES });
