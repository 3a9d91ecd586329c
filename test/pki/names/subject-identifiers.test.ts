import { describe, expect, it } from 'vitest';
import {
  isSameIdentifier,
  parseOrganisationIdentifier,
  subjectIdentifiers,
} from '../../../src/pki/names/subject-identifiers.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { alternativeNames, generalName, leafOf, root } from '../../support/certificate-paths.ts';
import { der, oid, sequence } from '../../support/certificates.ts';

const part = (type: string, text: string): Buffer => der(0x31, sequence(oid(type), der(0x0c, Buffer.from(text))));

describe('[F21] whom a certificate names', () => {
  it('is read as typed values, each of every attribute and alternative name', () => {
    const subject = sequence(
      part('2.5.4.97', 'PSDDE-BAFIN-123456'),
      part('2.5.4.97', 'LEIXG-529900T8BM49AURSDO55'),
      part('0.9.2342.19200300.100.1.1', '497e1ffe-b2a2-4a4d-8ef0-70633fd11b59'),
      part('2.5.4.5', '43142666000197'),
      part('2.5.4.3', 'client.partner.example'),
    );
    const names = [
      generalName.dns('API.partner.example'),
      generalName.uri('https://partner.example/A'),
      generalName.ip(1, 2, 3, 4),
    ];
    const leaf = leafOf(root(), { subject, extensions: [alternativeNames(...names)] });
    const read = parsePathCertificate(new Uint8Array(leaf));
    expect(subjectIdentifiers(read.subject, read.alternativeNames)).toEqual({
      organisationIdentifiers: [
        { text: 'PSDDE-BAFIN-123456', scheme: 'PSD', country: 'DE', authority: 'BAFIN', reference: '123456' },
        {
          text: 'LEIXG-529900T8BM49AURSDO55',
          scheme: 'LEI',
          country: 'XG',
          authority: null,
          reference: '529900T8BM49AURSDO55',
        },
      ],
      userIds: ['497e1ffe-b2a2-4a4d-8ef0-70633fd11b59'],
      serialNumbers: ['43142666000197'],
      dnsNames: ['api.partner.example'],
      uris: ['https://partner.example/A'],
    });
  });

  it.each([
    ['OFBBR-d7384bd0-842f-43c5-be02-9d2b2d5efc2c', 'OFB', 'BR', null, 'd7384bd0-842f-43c5-be02-9d2b2d5efc2c'],
    ['NTRGB-0-1', 'NTR', 'GB', null, '0-1'],
    ['PSDGB-123', 'PSD', 'GB', null, '123'],
    ['SI:SI-123', 'SI:', 'SI', null, '123'],
    ['123', null, null, null, '123'],
    ['vatde-1', null, null, null, 'vatde-1'],
    ['VATDE-', null, null, null, 'VATDE-'],
  ])('the organisation identifier %s has its parts', (text, scheme, country, authority, reference) => {
    expect(parseOrganisationIdentifier(text)).toEqual({ text, scheme, country, authority, reference });
  });

  it('is compared as attributes of names are', () => {
    expect(isSameIdentifier('PSDDE-BAFIN-1', ' psdde-bafin-1')).toBe(true);
    expect(isSameIdentifier('PSDDE-BAFIN-1', 'PSDDE-BAFIN-11')).toBe(false);
  });
});
