/**
 * A participant as the consumers of Open Finance Brasil's directory read it (`ParticipantObject` of its public schema,
 * OpenBanking-Brasil/specs-directory), and beside that, in one member, what only we say.
 */
import { createHash } from 'node:crypto';
import type { NumericDate } from '../../federation/time.ts';
import type {
  PublicApi,
  PublicApplication,
  PublicParticipant,
  PublicRole,
  PublicServer,
} from '../../registry/directory/public-participants.ts';
import { offerState, stricterOfferState } from '../../registry/offers/offer-state.ts';
import { numericDate } from '../../registry/roles/given-roles.ts';
import { keySetUrls } from '../key-store-urls.ts';

export interface ParticipantView {
  now: NumericDate;
  /** Where clients reach the service. */
  baseUrl: string;
}

/** How a participant looks, and until when if nothing else changes: seconds since the epoch, Infinity without end. */
export interface ShownParticipant {
  object: object;
  changesAt: NumericDate;
}

/** Members are in one order and absent where there is nothing to say: the same record is the same bytes everywhere. */
export function participantObject(participant: PublicParticipant, { now, baseUrl }: ParticipantView): ShownParticipant {
  const dates = new Dates(now);
  const servers = offered(participant.servers, dates).map((server) => ({
    ...server,
    apis: offered(server.apis, dates),
  }));
  const roles = participant.roles.map((role) => ({ ...role, counts: dates.isWithin(role) }));
  const applications = new Map(participant.applications.map((application) => [application.id, application]));
  const object = {
    OrganisationId: participant.id,
    Status: 'Active',
    OrganisationName: participant.legalName,
    CreatedOn: participant.createdAt.toISOString(),
    LegalEntityName: participant.legalName,
    ...registrationMembers(participant),
    RegisteredName: participant.legalName,
    ...(participant.parentId !== null && { ParentOrganisationReference: participant.parentId }),
    AuthorisationServers: servers.flatMap((server) => {
      const application = applications.get(server.applicationId);
      // Whoever reads this shape expects what may be used in earnest.
      if (application?.mode !== 'live') return [];
      return [serverMembers(server, application, dates, baseUrl)];
    }),
    OrgDomainClaims: domainClaims(participant, roles),
    OrgDomainRoleClaims: roles.map((role) => roleClaim(participant, role)),
    Holdfast: ownMember(participant, servers, roles, dates),
  };
  return { object, changesAt: dates.changesAt };
}

/** Compares with the clock, and notes when it will say otherwise. */
class Dates {
  readonly now: Date;
  readonly #seconds: NumericDate;
  changesAt: NumericDate = Number.POSITIVE_INFINITY;

  constructor(now: NumericDate) {
    this.now = new Date(now * 1000);
    this.#seconds = now;
  }

  note(moments: readonly (NumericDate | null)[]): void {
    for (const moment of moments) {
      if (moment !== null && moment > this.#seconds) this.changesAt = Math.min(this.changesAt, moment);
    }
  }

  /** Of dates that act once the clock, which counts whole seconds, has reached them. */
  noteDates(moments: readonly (Date | null)[]): void {
    this.note(moments.map((moment) => moment && Math.ceil(moment.getTime() / 1000)));
  }

  isWithin({ validFrom, validTo }: Pick<PublicRole, 'validFrom' | 'validTo'>): boolean {
    const [from, to] = [numericDate(validFrom), numericDate(validTo)];
    this.note([from, to]);
    return (from === null || from <= this.#seconds) && (to === null || this.#seconds < to);
  }
}

/** What has not retired. */
function offered<T extends { deprecatedAt: Date | null; retiresAt: Date | null }>(
  offers: readonly T[],
  dates: Dates,
): T[] {
  return offers.filter((offer) => {
    dates.noteDates([offer.deprecatedAt, offer.retiresAt]);
    return stateOf(offer, dates) !== 'retired';
  });
}

function stateOf(offer: { deprecatedAt: Date | null; retiresAt: Date | null }, { now }: Dates) {
  return offerState({ ...offer, removedAt: null }, now);
}

function registrationMembers({
  registrationNumber: number,
  registrationRegister: register,
  registrationCountry: country,
}: PublicParticipant) {
  if (number === null || register === null || country === null) return {};
  return { CountryOfRegistration: country, CompanyRegister: register, RegistrationNumber: number };
}

function serverMembers(server: PublicServer, application: PublicApplication, dates: Dates, baseUrl: string) {
  const { id, issuer, deprecatedAt, retiresAt, supersededBy, apis } = server;
  const { organisationId, entityIdentifier, entityTypes } = application;
  return {
    AuthorisationServerId: id,
    OrganisationId: organisationId,
    CustomerFriendlyName: application.name ?? new URL(entityIdentifier).host,
    Issuer: issuer,
    // Where OpenID Connect Discovery says that it is; of others only the federation knows.
    ...(entityTypes.includes('openid_provider') && {
      OpenIDDiscoveryDocument: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    }),
    PayloadSigningCertLocationUri: keySetUrls(baseUrl, { organisationId, entityId: application.id }).software_jwks_uri,
    FederationId: entityIdentifier,
    FederationEndpoint: `${entityIdentifier.replace(/\/$/, '')}/.well-known/openid-federation`,
    ...(deprecatedAt !== null && { DeprecatedDate: isoDay(deprecatedAt) }),
    ...(retiresAt !== null && { RetirementDate: isoDay(retiresAt) }),
    ...(supersededBy !== null && { SupersededByAuthorisationServerId: supersededBy }),
    Status: 'Active',
    ApiResources: apis.map((api) => apiMembers(api, dates)),
    AuthorisationServerCertifications: [],
  };
}

const RELEASE = /^\d+\.\d+\.\d+/;

function apiMembers(api: PublicApi, dates: Dates) {
  const { id, family, apiVersion, endpoints, certificationUri, certificationFrom, certificationTo } = api;
  return {
    ApiResourceId: id,
    ApiFamilyType: family,
    // That schema has no pre-releases; ours says the whole.
    ApiVersion: RELEASE.exec(apiVersion)?.[0] ?? apiVersion,
    CertificationStatus: certificationStatus(api, dates),
    ...(certificationFrom !== null && { CertificationStartDate: brazilianDay(certificationFrom) }),
    ...(certificationTo !== null && { CertificationExpirationDate: brazilianDay(certificationTo) }),
    ...(certificationUri?.startsWith('https://') && { ApiCertificationUri: certificationUri }),
    Status: 'Active',
    ApiDiscoveryEndpoints: endpoints.map((endpoint) => ({
      ApiDiscoveryId: derivedId(id, endpoint),
      ApiEndpoint: endpoint,
    })),
  };
}

const CERTIFICATION_STATUS = {
  awaiting: 'Awaiting Certification',
  certified: 'Certified',
  self_certified: 'Self-Certified',
  deprecated: 'Deprecated',
  rejected: 'Rejected',
} as const;

/** What holds not yet is awaited, and what holds no longer is of the past. */
function certificationStatus(
  { certificationStatus: status, certificationFrom, certificationTo }: PublicApi,
  dates: Dates,
) {
  if (status !== 'certified' && status !== 'self_certified') return CERTIFICATION_STATUS[status];
  dates.noteDates([certificationFrom, certificationTo]);
  if (certificationFrom !== null && certificationFrom > dates.now) return CERTIFICATION_STATUS.awaiting;
  if (certificationTo !== null && certificationTo <= dates.now) return CERTIFICATION_STATUS.deprecated;
  return CERTIFICATION_STATUS[status];
}

type CountedRole = PublicRole & { counts: boolean };

const CLAIM_STATUS = (counts: boolean) => (counts ? 'Active' : 'Inactive');

/** Each domain in which it has a role, in the order of its first one. */
function domainClaims({ id, authorityId, authorityName }: PublicParticipant, roles: readonly CountedRole[]) {
  const domains = Map.groupBy(roles, ({ domainId }) => domainId);
  return [...domains].map(([domainId, held]) => ({
    OrganisationAuthorityDomainClaimId: derivedId(id, domainId),
    AuthorityId: authorityId,
    AuthorityName: authorityName,
    AuthorisationDomainName: held[0]?.domain,
    Status: CLAIM_STATUS(held.some(({ counts }) => counts)),
  }));
}

function roleClaim({ id, authorityId }: PublicParticipant, role: CountedRole) {
  const Status = CLAIM_STATUS(role.counts);
  return {
    OrganisationId: id,
    OrganisationAuthorityClaimId: role.id,
    AuthorityId: authorityId,
    Status,
    AuthorisationDomain: role.domain,
    Role: role.name,
    Authorisations: role.jurisdictions.map((MemberState) => ({ Status, MemberState })),
    ...(role.registrationId !== null && { RegistrationId: role.registrationId }),
  };
}

/** Exact, in the words of our API. */
function ownMember(
  participant: PublicParticipant,
  servers: readonly PublicServer[],
  roles: readonly CountedRole[],
  dates: Dates,
) {
  const { authorityId, authorityIdentifier, authorityName, stateChangedAt, applications } = participant;
  return {
    authority: { id: authorityId, entityIdentifier: authorityIdentifier, name: authorityName },
    state: 'active',
    stateChangedAt: stateChangedAt.toISOString(),
    applications: applications.map(({ roleAssignmentIds, organisationId: _, registeredAt, ...application }) => ({
      ...application,
      entityTypes: application.entityTypes.toSorted(),
      registeredAt: textOf(registeredAt),
      roles: roles
        .filter(({ id, counts }) => counts && roleAssignmentIds.includes(id))
        .map(({ roleId, name, domain }) => ({ roleId, name, domain })),
    })),
    authorizationServers: servers.map((server) => ({
      id: server.id,
      applicationId: server.applicationId,
      issuer: server.issuer,
      ...lifeOf(server, stateOf(server, dates)),
      apis: server.apis.map((api) => ({
        id: api.id,
        family: api.family,
        apiVersion: api.apiVersion,
        ...lifeOf(api, stricterOfferState(stateOf(api, dates), stateOf(server, dates))),
      })),
    })),
  };
}

function lifeOf(
  { deprecatedAt, retiresAt, supersededBy }: Pick<PublicServer, 'deprecatedAt' | 'retiresAt' | 'supersededBy'>,
  state: string,
) {
  return { state, deprecatedAt: textOf(deprecatedAt), retiresAt: textOf(retiresAt), supersededBy };
}

function textOf(moment: Date | null): string | null {
  return moment === null ? null : moment.toISOString();
}

/** Day in UTC, `2027-01-31`. */
function isoDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** Day in UTC, `31/01/2027`. */
function brazilianDay(moment: Date): string {
  return isoDay(moment).split('-').reverse().join('/');
}

/** An id for what has none with us, always the same: a UUID of version 8. @see RFC 9562 §5.8 */
function derivedId(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join(' ')).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
