/** Whom a certificate of ours names: rebuilt from the registry each time, never taken from a request. @see ETSI EN 319 412-1 §5.1.4 */
import { COMMON_NAME, ORGANISATION, ORGANISATION_IDENTIFIER, USER_ID } from '../../pki/names/attribute-types.ts';
import { attributeTexts, distinguishedName } from '../../pki/names/distinguished-name.ts';
import { hostOfUri } from '../../pki/names/general-name.ts';
import { subjectIdentifiers } from '../../pki/names/subject-identifiers.ts';
import type { NamePart } from '../../pki/names/write-name.ts';
import type { PathCertificate } from '../../pki/path/path-certificate.ts';
import type { AlternativeName } from '../../pki/profile/write-certificate.ts';
import type { CertificateRequest as ParsedRequest } from '../../pki/request/parse-certificate-request.ts';
import type { CertificateProfile } from '../../storage/schema/certification-authorities.ts';
import type { EntityRow } from '../entities/entity.ts';
import type { OrganisationRow } from '../organisations/organisation.ts';
import { type Registration, registrationOf } from '../organisations/registration.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';

export interface CertificateSubject {
  /** From the root down. */
  subject: readonly NamePart[];
  alternativeNames: readonly AlternativeName[];
}

type Named = Pick<EntityRow, 'id' | 'entityIdentifier'>;
type NamedOrganisation = Pick<
  OrganisationRow,
  'id' | 'legalName' | 'registrationNumber' | 'registrationRegister' | 'registrationCountry'
>;

/** Characters of a name of an organisation, and of a common name (RFC 5280 Appendix A.1, ub-organization-name, ub-common-name). */
const MAX_NAME_LENGTH = 64;

/**
 * `O` the legal name, `organizationIdentifier` the registration, `UID` the id of the entity, `CN` the host of its Entity
 * Identifier; that identifier is an alternative name, and for TLS servers its host is one too.
 * @throws RegistryError validation_failed for a server on an address
 */
export function certificateSubject(
  { id, entityIdentifier }: Named,
  organisation: NamedOrganisation,
  profile: CertificateProfile,
): CertificateSubject {
  const host = hostOfUri(entityIdentifier);
  const registration = registrationOf(organisation);
  const organisationIdentifier = registration === null ? undefined : organisationIdentifierOf(registration);
  const parts: [type: string, text: string | undefined][] = [
    // What is longer than names may be is cut; the identifiers beside it stay whole.
    [ORGANISATION, [...organisation.legalName].slice(0, MAX_NAME_LENGTH).join('').trim()],
    [ORGANISATION_IDENTIFIER, organisationIdentifier],
    [USER_ID, id],
    [COMMON_NAME, host !== undefined && host.length <= MAX_NAME_LENGTH ? host : undefined],
  ];
  return {
    subject: parts.flatMap(([type, text]) => (text === undefined ? [] : [{ type, text }])),
    alternativeNames: [
      { form: 'uri', text: entityIdentifier },
      ...(profile === 'server' ? [{ form: 'dns' as const, text: requireHost(host) }] : []),
    ],
  };
}

/** Registers whose numbers have a scheme of their own, by their names; of no country where the number is of none. */
const SCHEMES: Readonly<Record<string, { scheme: string; country?: string }>> = {
  vat: { scheme: 'VAT' },
  lei: { scheme: 'LEI', country: 'XG' },
};
/** Of people, or with parts that a registration does not have. */
const WITHOUT_SCHEME = new Set(['tin', 'pas', 'idc', 'pno', 'psd', 'gov', 'ofb']);

/** `NTRDE-HRB 1234` of a trade register; undefined of a register that no scheme of ETSI stands for. */
function organisationIdentifierOf({ number, register, country }: Registration): string | undefined {
  const name = register.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  if (WITHOUT_SCHEME.has(name)) return undefined;
  const { scheme, country: place = country } = SCHEMES[name] ?? { scheme: 'NTR' };
  return `${scheme}${place}-${number}`;
}

function requireHost(host: string | undefined): string {
  if (host !== undefined) return host;
  const detail = 'is for a host name, and the Entity Identifier has an address; ask for `client` or `signing`';
  throw invalidField('/profile', detail);
}

/** Whether a certificate names the same in the same words. */
export function isOfSubject(
  certificate: Pick<PathCertificate, 'subject' | 'alternativeNames'>,
  { subject, alternativeNames }: CertificateSubject,
): boolean {
  const name = distinguishedName(subject.map(({ type, text }) => [{ type, text, der: undefined }]));
  const named = certificate.alternativeNames.map((one) => ('text' in one ? `${one.form} ${one.text}` : one.form));
  const wanted = alternativeNames.map(({ form, text }) => `${form} ${text}`);
  return certificate.subject.key === name.key && named.toSorted().join('\n') === wanted.toSorted().join('\n');
}

/**
 * Why a request is somebody else's, by what it says though nothing of it is taken over; undefined if nothing says so.
 * Machines have names of their own, which contradict nothing.
 */
export function requestComplaint(
  { subject, alternativeNames }: Pick<ParsedRequest, 'subject' | 'alternativeNames'>,
  entity: Named,
  organisation: NamedOrganisation,
): string | undefined {
  const { userIds, uris, organisationIdentifiers } = subjectIdentifiers(subject, alternativeNames);
  if (userIds.some((userId) => isRecordId(userId) && userId !== entity.id)) return 'has the UID of another entity';
  const host = hostOfUri(entity.entityIdentifier);
  const isOwn = (uri: string): boolean =>
    uri === entity.entityIdentifier || (host !== undefined && hostOfUri(uri) === host);
  if (uris.some((uri) => !isOwn(uri))) return 'has a URI that is not of this entity';
  const registration = registrationOf(organisation);
  const own = registration === null ? undefined : organisationIdentifierOf(registration);
  const isForeign = organisationIdentifiers.some(
    ({ text }) => text !== organisation.id && own !== undefined && !isSameText(text, own),
  );
  if (isForeign) return 'has the organisation identifier of another organisation';
  const hosts = attributeTexts(subject, COMMON_NAME).filter((name) => /^https?:\/\//i.test(name));
  return hosts.every(isOwn) ? undefined : 'has the Entity Identifier of another entity as its common name';
}

/** White space and letter case tell no numbers apart. */
function isSameText(one: string, other: string): boolean {
  const bare = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll(/\s/g, '');
  return bare(one) === bare(other);
}
