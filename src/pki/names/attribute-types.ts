/** What types of attributes are called in the text of names. @see RFC 4514 §3, RFC 4519, X.520, ETSI EN 319 412-1 §5.1.4 */

export const COMMON_NAME = '2.5.4.3';
export const SERIAL_NUMBER = '2.5.4.5';
export const ORGANISATION = '2.5.4.10';
export const ORGANISATION_IDENTIFIER = '2.5.4.97';
export const USER_ID = '0.9.2342.19200300.100.1.1';
export const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/** The keywords that every reader of RFC 4514 knows; all other types are written as numbers. */
const STANDARD_KEYWORDS: readonly (readonly [keyword: string, type: string])[] = [
  ['CN', COMMON_NAME],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['O', ORGANISATION],
  ['OU', '2.5.4.11'],
  ['C', '2.5.4.6'],
  ['STREET', '2.5.4.9'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['UID', USER_ID],
];

/** What tools and federations write beside them. The first keyword of a type is the one we write for people. */
const FURTHER_KEYWORDS: readonly (readonly [keyword: string, type: string])[] = [
  ['serialNumber', SERIAL_NUMBER],
  ['organizationIdentifier', ORGANISATION_IDENTIFIER],
  ['emailAddress', EMAIL_ADDRESS],
  ['E', EMAIL_ADDRESS],
  ['businessCategory', '2.5.4.15'],
  ['postalCode', '2.5.4.17'],
  ['title', '2.5.4.12'],
  ['SN', '2.5.4.4'],
  ['surname', '2.5.4.4'],
  ['GN', '2.5.4.42'],
  ['givenName', '2.5.4.42'],
  ['initials', '2.5.4.43'],
  ['generationQualifier', '2.5.4.44'],
  ['dnQualifier', '2.5.4.46'],
  ['pseudonym', '2.5.4.65'],
  ['name', '2.5.4.41'],
  ['jurisdictionLocalityName', '1.3.6.1.4.1.311.60.2.1.1'],
  ['jurisdictionL', '1.3.6.1.4.1.311.60.2.1.1'],
  ['jurisdictionStateOrProvinceName', '1.3.6.1.4.1.311.60.2.1.2'],
  ['jurisdictionST', '1.3.6.1.4.1.311.60.2.1.2'],
  ['jurisdictionCountryName', '1.3.6.1.4.1.311.60.2.1.3'],
  ['jurisdictionC', '1.3.6.1.4.1.311.60.2.1.3'],
  ['commonName', COMMON_NAME],
  ['localityName', '2.5.4.7'],
  ['stateOrProvinceName', '2.5.4.8'],
  ['organizationName', ORGANISATION],
  ['organizationalUnitName', '2.5.4.11'],
  ['countryName', '2.5.4.6'],
  ['streetAddress', '2.5.4.9'],
  ['domainComponent', '0.9.2342.19200300.100.1.25'],
  ['userId', USER_ID],
];

const ALL_KEYWORDS = [...STANDARD_KEYWORDS, ...FURTHER_KEYWORDS];
const TYPE_OF = new Map(ALL_KEYWORDS.map(([keyword, type]) => [keyword.toLowerCase(), type]));
const STANDARD_KEYWORD_OF = new Map(STANDARD_KEYWORDS.map(([keyword, type]) => [type, keyword]));
const READABLE_KEYWORD_OF = new Map(ALL_KEYWORDS.toReversed().map(([keyword, type]) => [type, keyword]));

/** The object identifier that a keyword stands for, however it is capitalised. */
export function typeOfKeyword(keyword: string): string | undefined {
  return TYPE_OF.get(keyword.toLowerCase());
}

/** @param form `standard`: keywords of RFC 4514 §3 alone; `readable`: of all types that have one */
export function keywordOf(type: string, form: 'standard' | 'readable'): string | undefined {
  return (form === 'standard' ? STANDARD_KEYWORD_OF : READABLE_KEYWORD_OF).get(type);
}
