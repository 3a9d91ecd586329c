import { describe, expect, it } from 'vitest';
import type { GeneralName } from '../../../src/pki/names/general-name.ts';
import { parseNameString } from '../../../src/pki/names/name-string.ts';
import { subjectIdentifiers } from '../../../src/pki/names/subject-identifiers.ts';
import { type SubjectRecord, subjectComplaint } from '../../../src/registry/credentials/subject-complaint.ts';

const RECORD: SubjectRecord = {
  ...{ id: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f', organisationId: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e50' },
  entityIdentifier: 'https://rp.bank.example/app',
  registration: { number: '05123456', register: 'Companies House', country: 'GB' },
  domains: [
    { domain: 'bank-files.example', method: 'https' },
    { domain: 'bank-dns.example:8443', method: 'dns' },
  ],
  others: [],
  isListed: true,
};
const OTHER = {
  ...{ id: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e60', organisationId: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e61' },
  entityIdentifier: 'https://other.example',
};

const registered = (number: string, register: string, country: string): Partial<SubjectRecord> => ({
  registration: { number, register, country },
});

function complaint(name: string, record: Partial<SubjectRecord> = {}, alternatives: GeneralName[] = []): string {
  const subject = parseNameString(name);
  const named = { subject, ...subjectIdentifiers(subject, alternatives) };
  return subjectComplaint(named, { ...RECORD, ...record })?.replace(/[;:] .*/, '') ?? 'fits';
}

const dns = (...names: string[]): GeneralName[] => names.map((text) => ({ form: 'dns', text }));
const uri = (...names: string[]): GeneralName[] => names.map((text) => ({ form: 'uri', text }));

const WRONG_IDENTIFIER = 'names another organisation';

describe('[F21] an organisation identifier beside the registration on record', () => {
  it.each<[string, string, Partial<SubjectRecord>, string]>([
    ['the number of the trade register', 'organizationIdentifier=NTRGB-05123456', {}, 'fits'],
    ['written otherwise', '2.5.4.97=#0c10 4e54524742 2d 3035 2031 3233 2034 3536'.replaceAll(' ', ''), {}, 'fits'],
    ['another number', 'organizationIdentifier=NTRGB-05123457', {}, WRONG_IDENTIFIER],
    ['the number of another country', 'organizationIdentifier=NTRIE-05123456', {}, WRONG_IDENTIFIER],
    ['one right, one wrong', 'organizationIdentifier=NTRGB-05123456+2.5.4.97=NTRGB-1', {}, WRONG_IDENTIFIER],
    ['a tax number says nothing of the trade register', 'organizationIdentifier=VATDE-123456789', {}, 'fits'],
    ['a tax number on record', '2.5.4.97=VATDE-123456789', registered('DE 123456789', 'VAT', 'DE'), 'fits'],
    ['another tax number', '2.5.4.97=VATDE-123456788', registered('DE123456789', 'vat', 'DE'), WRONG_IDENTIFIER],
    ['a trade register beside a tax number on record', '2.5.4.97=NTRDE-1', registered('2', 'VAT', 'DE'), 'fits'],
    ['PSD2 with its authority', '2.5.4.97=PSDDE-BAFIN-123456', registered('123456', 'BaFin', 'DE'), 'fits'],
    ['another PSD2 number', '2.5.4.97=PSDDE-BAFIN-123457', registered('123456', 'BaFin', 'DE'), WRONG_IDENTIFIER],
    ['PSD2 of another country', '2.5.4.97=PSDAT-BAFIN-123456', registered('123456', 'BaFin', 'DE'), WRONG_IDENTIFIER],
    [
      'a LEI, of no country',
      '2.5.4.97=LEIXG-529900T8BM49AURSDO55',
      registered('529900T8BM49AURSDO55', 'LEI', 'DE'),
      'fits',
    ],
    ['the id of the organisation', `2.5.4.97=OFBBR-${RECORD.organisationId}`, registered('1', 'OFB', 'BR'), 'fits'],
    ['a CNPJ', '2.5.4.97=OFBBR-x,serialNumber=11.222.333/0001-81', registered('11222333000181', 'CNPJ', 'BR'), 'fits'],
    ['another CNPJ', '2.5.4.97=OFBBR-x,serialNumber=1', registered('11222333000181', 'CNPJ', 'BR'), WRONG_IDENTIFIER],
    ['the serial number of a person or device', 'serialNumber=4711', {}, 'fits'],
    [
      'a number as EV has it',
      'serialNumber=05123456,jurisdictionC=GB,businessCategory=Private Organization',
      {},
      'fits',
    ],
    ['another', 'serialNumber=1,jurisdictionC=gb,businessCategory=private  organization', {}, WRONG_IDENTIFIER],
    ['EV of a government', 'serialNumber=1,jurisdictionC=GB,businessCategory=Government Entity', {}, 'fits'],
    ['an identifier of no known form', 'organizationIdentifier=4711', {}, 'fits'],
    ['no registration on record', 'organizationIdentifier=NTRGB-1', { registration: null }, 'fits'],
    ['nothing at all', 'CN=client', {}, 'fits'],
  ])('%s', (_, name, record, expected) => {
    expect(complaint(name, record)).toBe(expected);
  });
});

describe('[F21] what names entities beside the record', () => {
  const others = { others: [OTHER] };
  const sibling = { others: [{ ...OTHER, organisationId: RECORD.organisationId }] };

  it.each<[string, string, Partial<SubjectRecord>, GeneralName[], string]>([
    ['its id', `UID=${RECORD.id}`, {}, [], 'fits'],
    ['the id of another entity', `UID=${OTHER.id}`, others, [], 'names another entity in its UID'],
    ['an id that nobody has', `UID=${OTHER.id}`, {}, [], 'fits'],
    ['its Entity Identifier', 'CN=x', {}, uri(RECORD.entityIdentifier), 'fits'],
    ['a URI on its host', 'CN=x', {}, uri('https://rp.bank.example/else'), 'fits'],
    ['one of several', 'CN=x', others, uri(OTHER.entityIdentifier, 'spiffe://rp.bank.example/a'), 'fits'],
    [
      'that of another entity',
      'CN=x',
      others,
      uri(OTHER.entityIdentifier),
      'names another entity in a URI of its alternative names',
    ],
    [
      'of a sibling',
      'CN=x',
      { ...sibling, isListed: false },
      uri(OTHER.entityIdentifier),
      'names another entity in a URI of its alternative names',
    ],
    ['a URI on a proven host', 'CN=x', {}, uri('https://bank-files.example/x'), 'fits'],
    [
      'below a domain proven for one host',
      'CN=x',
      {},
      uri('https://a.bank-files.example'),
      'has URIs among its alternative names, and none is on the host of the Entity Identifier or on a domain that the organisation proved',
    ],
    ['below a domain proven by DNS', 'CN=x', {}, uri('https://a.bank-dns.example'), 'fits'],
    ['a foreign URI that nobody vouches for', 'CN=x', { isListed: false }, uri('https://else.example'), 'fits'],
    ['a URI of another kind', 'CN=x', {}, uri('spiffe://cluster.example/ns/a'), 'fits'],
    ['a machine', 'CN=x', {}, dns('gateway-7.hosting.example'), 'fits'],
    [
      'the host of another organisation',
      'CN=x',
      others,
      dns('other.example'),
      "names the host of another organisation's entity and none of its own",
    ],
    ['the same beside its own', 'CN=x', others, dns('other.example', 'rp.bank.example'), 'fits'],
    ['the same beside a wildcard that is its own', 'CN=x', others, dns('other.example', '*.bank.example'), 'fits'],
    ['the host of a sibling', 'CN=x', sibling, dns('other.example'), 'fits'],
  ])('%s', (_, name, record, alternatives, expected) => {
    expect(complaint(name, record, alternatives)).toBe(expected);
  });
});
