/** Whom a certificate names, as typed values to compare with a record. @see ETSI EN 319 412-1 §5.1.4, ETSI TS 119 495 §5.2.1 */

import { preparedText } from './attribute-text.ts';
import { ORGANISATION_IDENTIFIER, SERIAL_NUMBER, USER_ID } from './attribute-types.ts';
import { attributeTexts, type DistinguishedName } from './distinguished-name.ts';
import type { GeneralName } from './general-name.ts';

/** `PSDDE-BAFIN-123456` → PSD, DE, BAFIN, 123456; `NTRGB-0123` → NTR, GB, no authority, 0123. */
export interface OrganisationIdentifier {
  /** As it stands in the certificate. */
  text: string;
  /** Three letters such as VAT, NTR, PSD, LEI, OFB, or two and a colon: a national scheme. null: it has another form. */
  scheme: string | null;
  /** ISO 3166; XG where no country gives the identifier, such as a LEI. */
  country: string | null;
  /** Of PSD alone: who authorised the organisation. */
  authority: string | null;
  /** What the scheme calls the organisation; all of the text where it has another form. */
  reference: string;
}

export interface SubjectIdentifiers {
  /** More than one leaves open whom the certificate is for: no record should be found by it. */
  organisationIdentifiers: readonly OrganisationIdentifier[];
  userIds: readonly string[];
  serialNumbers: readonly string[];
  /** In small letters; one may begin with `*.`. */
  dnsNames: readonly string[];
  uris: readonly string[];
}

const IDENTIFIER = /^([A-Z]{3}|[A-Z]{2}:)([A-Z]{2})-(.+)$/;
const WITH_AUTHORITY = /^([A-Z]{2,8})-(.+)$/;

/** What a certificate says in its subject and its alternative names. */
export function subjectIdentifiers(
  subject: DistinguishedName,
  alternatives: readonly GeneralName[],
): SubjectIdentifiers {
  const texts = (form: 'dns' | 'uri'): string[] =>
    alternatives.flatMap((name) => (name.form === form ? [name.text] : []));
  return {
    organisationIdentifiers: attributeTexts(subject, ORGANISATION_IDENTIFIER).map(parseOrganisationIdentifier),
    userIds: attributeTexts(subject, USER_ID),
    serialNumbers: attributeTexts(subject, SERIAL_NUMBER),
    dnsNames: texts('dns').map((name) => name.toLowerCase()),
    uris: texts('uri'),
  };
}

/** Reads the parts of an organisation identifier, as far as it has the form of ETSI. */
export function parseOrganisationIdentifier(text: string): OrganisationIdentifier {
  const [, scheme, country, rest] = IDENTIFIER.exec(text) ?? [];
  if (scheme === undefined || country === undefined || rest === undefined) {
    return { text, scheme: null, country: null, authority: null, reference: text };
  }
  const [, authority, reference] = (scheme === 'PSD' ? WITH_AUTHORITY.exec(rest) : null) ?? [];
  return { text, scheme, country, authority: authority ?? null, reference: reference ?? rest };
}

/** Whether two identifiers of a name, of whatever type, match as attributes of a name do. @see RFC 5280 §7.1 */
export function isSameIdentifier(one: string, other: string): boolean {
  return preparedText(one) === preparedText(other);
}
