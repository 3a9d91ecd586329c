/**
 * Whether a certificate names somebody else than its record. What cannot be compared with the record contradicts nothing:
 * a tax number says nothing against a number in a trade register, nor the name of a machine against an identifier.
 * @see ETSI EN 319 412-1 §5.1.4, ETSI TS 119 495 §5.2.1, CA/Browser Forum EV Guidelines §9.2
 */
import { preparedText } from '../../pki/names/attribute-text.ts';
import { attributeTexts, type DistinguishedName } from '../../pki/names/distinguished-name.ts';
import { hostOfUri } from '../../pki/names/general-name.ts';
import type { OrganisationIdentifier, SubjectIdentifiers } from '../../pki/names/subject-identifiers.ts';
import type { DomainProofMethod } from '../../storage/schema/organisation-proofs.ts';
import type { Registration } from '../organisations/registration.ts';

export interface NamedSubject extends SubjectIdentifiers {
  subject: DistinguishedName;
}

export interface OtherEntity {
  id: string;
  organisationId: string;
  entityIdentifier: string;
}

export interface SubjectRecord extends OtherEntity {
  registration: Registration | null;
  /** Those that the organisation proved. */
  domains: readonly { domain: string; method: DomainProofMethod }[];
  /** Open records of the authority with the id, or the identifier, that stands in the certificate. */
  others: readonly OtherEntity[];
  /** Whether its issuer is believed for what it says. */
  isListed: boolean;
}

/** Why it is somebody else's; undefined if nothing says so. */
export function subjectComplaint(named: NamedSubject, record: SubjectRecord): string | undefined {
  return registrationComplaint(named, record) ?? entityComplaint(named, record);
}

/** Registers that are no trade registers, by the schemes that stand for them. */
const OTHER_REGISTERS = new Set(['vat', 'tin', 'pas', 'idc', 'pno', 'lei', 'psd', 'gov', 'ofb']);
const CNPJ = /^[0-9a-z]{12}\d{2}$/;
const [JURISDICTION_COUNTRY, BUSINESS_CATEGORY] = ['1.3.6.1.4.1.311.60.2.1.3', '2.5.4.15'];
/** Those whose serial number is the one of their register; others have dates or words there. */
const REGISTERED = 'private organization';

/** What a certificate says of a register: there, its organisation has this number. */
interface Claim {
  what: string;
  country: string | null;
  number: string;
}

function registrationComplaint(
  named: NamedSubject,
  { registration, organisationId }: SubjectRecord,
): string | undefined {
  if (registration === null) return undefined;
  const claims = [
    ...named.organisationIdentifiers
      .filter(({ reference }) => reference !== organisationId)
      .flatMap((identifier) => claimOfIdentifier(identifier, registration)),
    ...claimsOfSerialNumber(named, registration),
  ];
  const wrong = claims.find((claim) => !agrees(claim, registration));
  if (wrong === undefined) return undefined;
  return `names another organisation: its ${wrong.what} is not that of the registration on record; correct the record, or use a certificate of this organisation`;
}

/** None where the identifier is of another register than the one on record. */
function claimOfIdentifier(
  { scheme, country, authority, reference }: OrganisationIdentifier,
  registration: Registration,
): Claim[] {
  if (scheme === null) return [];
  const register = bare(registration.register);
  const isNamed = [scheme, authority ?? ''].some((name) => name !== '' && bare(name) === register);
  const isTradeRegister = scheme === 'NTR' && isTrade(registration);
  if (!isNamed && !isTradeRegister) return [];
  // XG: of no country, such as a LEI.
  return [{ what: 'organisation identifier', country: country === 'XG' ? null : country, number: reference }];
}

/** It is the number of a person, a device or a register; only where the certificate tells which, it is compared. */
function claimsOfSerialNumber(
  { subject, serialNumbers, organisationIdentifiers }: NamedSubject,
  registration: Registration,
): Claim[] {
  const what = 'serial number';
  const isOfBrazil = organisationIdentifiers.some(({ scheme, country }) => scheme === 'OFB' && country === 'BR');
  if (isOfBrazil && registration.country === 'BR' && CNPJ.test(bare(registration.number))) {
    return serialNumbers.map((number) => ({ what, country: 'BR', number }));
  }
  const [country] = attributeTexts(subject, JURISDICTION_COUNTRY);
  const isRegistered = attributeTexts(subject, BUSINESS_CATEGORY).some((text) => preparedText(text) === REGISTERED);
  if (country === undefined || !isRegistered || !isTrade(registration)) return [];
  return serialNumbers.map((number) => ({ what, country: country.toUpperCase(), number }));
}

function isTrade({ register }: Registration): boolean {
  return !OTHER_REGISTERS.has(bare(register));
}

/** A number of some registers is written with its country before it, or without. */
function agrees({ country, number }: Claim, registration: Registration): boolean {
  if (country !== null && country !== registration.country) return false;
  const [claimed, recorded] = [bare(number), bare(registration.number)];
  const prefix = bare(registration.country);
  return claimed === recorded || `${prefix}${claimed}` === recorded || claimed === `${prefix}${recorded}`;
}

/** Letters and digits: what stands between them is a matter of taste. */
function bare(text: string): string {
  return preparedText(text).replaceAll(/[^\p{L}\p{N}]/gu, '');
}

function entityComplaint(named: NamedSubject, record: SubjectRecord): string | undefined {
  const { id, entityIdentifier, organisationId, others, isListed } = record;
  const { userIds, uris, dnsNames } = named;
  if (!userIds.includes(id) && others.some((other) => userIds.includes(other.id))) {
    return 'names another entity in its UID; use one of this entity';
  }
  const webUris = uris.filter((uri) => /^https?:/i.test(uri));
  if (!uris.some((uri) => uri === entityIdentifier || isOwnHost(hostOfUri(uri), record))) {
    if (others.some((other) => uris.includes(other.entityIdentifier))) {
      return 'names another entity in a URI of its alternative names; use one of this entity';
    }
    if (isListed && webUris.length > 0) {
      return 'has URIs among its alternative names, and none is on the host of the Entity Identifier or on a domain that the organisation proved; prove the domain, or use another certificate';
    }
  }
  const isForeign = (other: OtherEntity): boolean =>
    other.organisationId !== organisationId && dnsNames.includes(hostOfUri(other.entityIdentifier) ?? '');
  if (dnsNames.some((name) => isOwnHost(name, record)) || !others.some(isForeign)) return undefined;
  return "names the host of another organisation's entity and none of its own; use a certificate of this entity";
}

/** The host of the Entity Identifier, or one that a proof covers: a file its host, a DNS record all below its domain. */
function isOwnHost(host: string | undefined, { entityIdentifier, domains }: SubjectRecord): boolean {
  if (host === undefined) return false;
  const own = new URL(entityIdentifier).hostname;
  if (host === own || (host.startsWith('*.') && host.slice(2) === own.slice(own.indexOf('.') + 1))) return true;
  return domains.some(({ domain, method }) => {
    const name = domain.replace(/:\d+$/, '');
    return host === name || (method === 'dns' && host.endsWith(`.${name}`));
  });
}
