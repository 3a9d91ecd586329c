import {
  type Authority,
  alternativeNames,
  authorityKeyId,
  below,
  CA,
  CHAIN,
  chain,
  generalName,
  judgeBeside,
  leafOf,
  leafWith,
  nameConstraints,
  type PathCase,
  type PathRow,
  ROOT,
  root,
  subjectKeyId,
} from '../../support/certificate-paths.ts';
import { der, distinguishedName, oid, sequence } from '../../support/certificates.ts';

const named = (text: string, tag = 0x0c, type = '2.5.4.10'): Buffer =>
  sequence(der(0x31, sequence(oid(type), der(tag, Buffer.from(text)))));
const withIssuerName = (name: Buffer, plan: Parameters<typeof leafOf>[1] = {}): Buffer => leafOf({ ...CA, name }, plan);
const limited = (constraints: Parameters<typeof nameConstraints>[0]): Authority =>
  below(ROOT, { extensions: [nameConstraints(constraints)] });
const EXAMPLE = { permitted: [generalName.dns('partner.example')] };
const NETWORK = { permitted: [generalName.ip(192, 0, 2, 0, 255, 255, 255, 0)] };
const within = (constraints: Parameters<typeof nameConstraints>[0], ...names: Buffer[]): PathCase => {
  const authority = limited(constraints);
  return chain(authority, leafWith(authority, alternativeNames(...names)));
};
const withSubject = (constraints: Parameters<typeof nameConstraints>[0], subject: Buffer): PathCase => {
  const authority = limited(constraints);
  return chain(authority, leafOf(authority, { subject }));
};

const NAMES: PathRow[] = [
  ['other capitals and spaces', { leaf: withIssuerName(named('  INTERMEDIATE ')), ...CHAIN }, 'valid'],
  ['another type of string', { leaf: withIssuerName(named('Intermediate', 0x13)), ...CHAIN }, 'valid'],
  ['capitals beyond ASCII', accents(), 'valid', 'openssl folds ASCII alone; RFC 4518 folds all'],
  [
    'another attribute with the same value',
    { leaf: withIssuerName(named('Intermediate', 0x0c, '2.5.4.11')), ...CHAIN },
    'chain_untrusted leaf',
  ],
  [
    'attributes in one set and in two',
    { leaf: withIssuerName(Buffer.concat([named('Intermediate')])), ...CHAIN },
    'valid',
  ],
  ['two sets in another order', ordered(true), 'chain_untrusted leaf'],
  ['two sets in the same order', ordered(false), 'valid'],
];

function accents(): PathCase {
  const authority = below(ROOT, { subject: named('Bänk Österreich') });
  return chain(authority, leafOf({ ...authority, name: named('BÄNK ÖSTERREICH') }));
}
function ordered(isTurned: boolean): PathCase {
  const authority = below(ROOT, { subject: distinguishedName({ C: 'GB', O: 'CA' }) });
  const name = isTurned ? distinguishedName({ O: 'CA', C: 'GB' }) : distinguishedName({ C: 'gb', O: 'ca' });
  return chain(authority, leafOf({ ...authority, name }));
}

const email = generalName.email;
const DIRECTORY = (attributes: Record<string, string>) => generalName.directory(distinguishedName(attributes));
const CONSTRAINTS: PathRow[] = [
  ['a host below', within(EXAMPLE, generalName.dns('api.partner.example')), 'valid'],
  ['the host itself, in capitals', within(EXAMPLE, generalName.dns('PARTNER.example')), 'valid'],
  ['another host', within(EXAMPLE, generalName.dns('other.example')), 'name_not_permitted leaf'],
  ['a host that ends alike', within(EXAMPLE, generalName.dns('notpartner.example')), 'name_not_permitted leaf'],
  [
    'one host of two',
    within(EXAMPLE, generalName.dns('a.partner.example'), generalName.dns('b.example')),
    'name_not_permitted leaf',
  ],
  ['a wildcard below', within(EXAMPLE, generalName.dns('*.partner.example')), 'valid'],
  [
    'a wildcard above',
    within({ permitted: [generalName.dns('a.partner.example')] }, generalName.dns('*.partner.example')),
    'name_not_permitted leaf',
  ],
  [
    'a wildcard that stands for an excluded host',
    within({ excluded: [generalName.dns('a.partner.example')] }, generalName.dns('*.partner.example')),
    'name_not_permitted leaf',
    'openssl compares the wildcard as a name',
  ],
  [
    'an excluded host',
    within({ excluded: [generalName.dns('partner.example')] }, generalName.dns('a.partner.example')),
    'name_not_permitted leaf',
  ],
  [
    'a host beside the excluded one',
    within({ excluded: [generalName.dns('partner.example')] }, generalName.dns('a.example')),
    'valid',
  ],
  [
    'all hosts excluded',
    within({ excluded: [generalName.dns('')] }, generalName.dns('a.example')),
    'name_not_permitted leaf',
  ],
  ['a host with a dot at its end', within(EXAMPLE, generalName.dns('a.partner.example.')), 'name_invalid leaf'],
  [
    'a common name that is a host',
    withSubject(EXAMPLE, distinguishedName({ CN: 'a.other.example' })),
    'name_not_permitted leaf',
  ],
  ['a common name that is a host below', withSubject(EXAMPLE, distinguishedName({ CN: 'a.partner.example' })), 'valid'],
  ['no host at all', withSubject(EXAMPLE, distinguishedName({ O: 'Partner' })), 'valid'],
  ['an address in the network', within(NETWORK, generalName.ip(192, 0, 2, 7)), 'valid'],
  ['an address beside it', within(NETWORK, generalName.ip(192, 0, 3, 7)), 'name_not_permitted leaf'],
  [
    'an address of the other family',
    within(NETWORK, generalName.ip(...Array<number>(16).fill(1))),
    'name_not_permitted leaf',
  ],
  [
    'a network with holes',
    within({ permitted: [generalName.ip(192, 0, 2, 0, 255, 0, 255, 0)] }, generalName.ip(192, 7, 2, 7)),
    'extension_invalid intermediates[0]',
    'openssl takes any mask',
  ],
  [
    'a URI at the host',
    within({ permitted: [generalName.uri('partner.example')] }, generalName.uri('https://partner.example/a')),
    'valid',
  ],
  [
    'a URI below the host',
    within({ permitted: [generalName.uri('partner.example')] }, generalName.uri('https://a.partner.example/')),
    'name_not_permitted leaf',
  ],
  [
    'a URI below a dot',
    within({ permitted: [generalName.uri('.partner.example')] }, generalName.uri('https://a.partner.example:8443')),
    'valid',
  ],
  [
    'a URI whose user looks like the host',
    within(
      { permitted: [generalName.uri('partner.example')] },
      generalName.uri('https://partner.example@evil.example/'),
    ),
    'name_not_permitted leaf',
  ],
  [
    'a URI without a host',
    within({ permitted: [generalName.uri('partner.example')] }, generalName.uri('urn:a:b')),
    'name_not_permitted leaf',
  ],
  [
    'a URI without a host, others excluded',
    within({ excluded: [generalName.uri('partner.example')] }, generalName.uri('urn:a:b')),
    'name_not_permitted leaf',
  ],
  ['a mailbox of the host', within({ permitted: [email('partner.example')] }, email('a@partner.example')), 'valid'],
  [
    'a mailbox of another host',
    within({ permitted: [email('partner.example')] }, email('a@a.partner.example')),
    'name_not_permitted leaf',
  ],
  ['a mailbox below a dot', within({ permitted: [email('.partner.example')] }, email('a@a.partner.example')), 'valid'],
  ['that mailbox', within({ permitted: [email('a@partner.example')] }, email('a@PARTNER.example')), 'valid'],
  [
    'another mailbox',
    within({ permitted: [email('a@partner.example')] }, email('A@partner.example')),
    'name_not_permitted leaf',
  ],
  [
    'a mailbox in the subject',
    withSubject({ excluded: [email('evil.example')] }, named('a@evil.example', 0x16, '1.2.840.113549.1.9.1')),
    'name_not_permitted leaf',
  ],
  [
    'a mailbox in the subject that is no text',
    withSubject({ excluded: [email('evil.example')] }, named('\0a@evil.example', 0x03, '1.2.840.113549.1.9.1')),
    'name_not_permitted leaf',
  ],
  [
    'the same where no mailbox is limited',
    withSubject(EXAMPLE, named('\0a@evil.example', 0x03, '1.2.840.113549.1.9.1')),
    'valid',
    'openssl reads no such name wherever anything is limited',
  ],
  [
    'a subject within',
    withSubject(
      { permitted: [DIRECTORY({ C: 'GB', O: 'Partner' })] },
      distinguishedName({ C: 'gb', O: 'PARTNER', CN: 'a' }),
    ),
    'valid',
  ],
  [
    'a subject beside',
    withSubject(
      { permitted: [DIRECTORY({ C: 'GB', O: 'Partner' })] },
      distinguishedName({ C: 'GB', O: 'Other', CN: 'a' }),
    ),
    'name_not_permitted leaf',
  ],
  [
    'an excluded subject',
    withSubject({ excluded: [DIRECTORY({ C: 'GB' })] }, distinguishedName({ C: 'GB', O: 'Other' })),
    'name_not_permitted leaf',
  ],
  [
    'a form of name that nobody reads, limited',
    within({ permitted: [generalName.other()] }, generalName.other()),
    'name_not_permitted leaf',
  ],
  ['a form of name that nobody reads, not limited', within(EXAMPLE, generalName.other()), 'valid'],
  [
    'constraints that limit nothing',
    chain(below(ROOT, { extensions: [{ type: '2.5.29.30', critical: true, value: sequence() }] })),
    'extension_invalid intermediates[0]',
    'openssl looks away unless -x509_strict',
  ],
  ['an authority within the constraints above it', constrainedTower('Level'), 'valid'],
  ['an authority beside the constraints above it', constrainedTower('Other'), 'name_not_permitted intermediates[1]'],
  ['a self-issued authority beside the constraints of its own', selfIssuedBeside(), 'valid'],
  ['an anchor with constraints', constrainedRoot(), 'name_not_permitted leaf'],
  [
    'neither a subject nor another name',
    { leaf: leafOf(CA, { subject: sequence() }), ...CHAIN },
    'name_not_permitted leaf',
    'openssl minds only with -x509_strict',
  ],
  [
    'an alternative name and no subject',
    {
      leaf: leafOf(CA, { subject: sequence(), extensions: [alternativeNames(generalName.dns('a.example'))] }),
      ...CHAIN,
    },
    'valid',
  ],
];

function constrainedTower(organisation: string): PathCase {
  const first = below(ROOT, { extensions: [nameConstraints({ permitted: [DIRECTORY({ O: 'Level' })] })] });
  const second = below(first, { subject: distinguishedName({ O: organisation, CN: 'x' }) });
  const leaf = leafOf(second, { subject: distinguishedName({ O: 'Level', CN: 'leaf' }) });
  return { leaf, intermediates: [first.der, second.der], anchors: [ROOT.der] };
}
function selfIssuedBeside(): PathCase {
  const limits = nameConstraints({ permitted: [DIRECTORY({ O: 'Level' })] });
  const first = below(ROOT, { extensions: [limits, subjectKeyId(1)] });
  const renewed = below(first, { subject: first.name, extensions: [subjectKeyId(2), authorityKeyId(1)] });
  const leaf = leafOf(renewed, {
    subject: distinguishedName({ O: 'Level', CN: 'leaf' }),
    extensions: [authorityKeyId(2)],
  });
  return { leaf, intermediates: [first.der, renewed.der], anchors: [ROOT.der] };
}
function constrainedRoot(): PathCase {
  const narrow = root({ extensions: [nameConstraints(EXAMPLE)] });
  return { leaf: leafWith(narrow, alternativeNames(generalName.dns('a.other.example'))), anchors: [narrow.der] };
}

judgeBeside({ names: NAMES, constraints: CONSTRAINTS });
