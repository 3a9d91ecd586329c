/** A participant, its certificate and an enforcement point, for tests of admission. */
import type { AdmissionQuestion, EnforcementPlace, TokenVerdict } from '../../src/admission/admission-question.ts';
import { type AdmissionEvidence, decide } from '../../src/admission/decide.ts';
import type { GivenRole, KnownState } from '../../src/admission/known-state.ts';
import type {
  KnownApi,
  KnownApplication,
  KnownCertificate,
  KnownException,
  KnownOrganisation,
  KnownTrustListEntry,
} from '../../src/registry/participants/known-participants.ts';

/** Seconds since the epoch. */
export const NOW = 1_800_000_000;

export const PLACE: EnforcementPlace = {
  authorityId: 'authority',
  state: 'active',
  mode: 'live',
  environment: 'production',
  apiId: null,
  maxStalenessSeconds: 10,
  isTokenRequired: false,
};

export const PISP: GivenRole = { roleId: 'pisp', name: 'PISP', jurisdictions: [], validFrom: null, validTo: null };

export const OTHER_ORGANISATION: KnownOrganisation = { id: 'other', legalName: 'Other Ltd', state: 'active' };

export const PARTICIPANT: KnownApplication = {
  id: 'application',
  authorityId: PLACE.authorityId,
  entityIdentifier: 'https://rp.example',
  name: 'Payments',
  mode: 'live',
  environment: 'production',
  state: 'active',
  organisationId: 'organisation',
  onBehalfOf: null,
  roleAssignmentIds: ['assignment'],
  certifiedKeys: [],
};

export const ORGANISATION: KnownOrganisation = {
  id: PARTICIPANT.organisationId,
  legalName: 'Example Ltd',
  state: 'active',
};

export const CERTIFICATE: KnownCertificate = {
  id: 'credential',
  applicationId: PARTICIPANT.id,
  x5tS256: 'c'.repeat(43),
  life: { state: 'active', notBefore: null, notAfter: NOW + 86_400, supersededAt: null },
  path: { anchor: 'a'.repeat(43), notAfter: NOW + 80_000 },
};

/** Where the path of the certificate leads to. */
export const ANCHOR: KnownTrustListEntry = {
  id: 'anchor',
  authorityId: PLACE.authorityId,
  purpose: 'transport',
  certificate: '',
  x5tS256: 'a'.repeat(43),
  notBefore: NOW - 86_400,
  notAfter: NOW + 86_400,
};

export const API: KnownApi = {
  id: 'payments',
  authorityId: PLACE.authorityId,
  family: 'payments',
  apiVersion: '2.0.0',
  roleIds: [PISP.roleId],
  audience: null,
  authorizationServerId: 'server',
  retiresAt: null,
};

export const TOKEN: Extract<TokenVerdict, { expiresAt: number }> = {
  boundTo: CERTIFICATE.x5tS256,
  clientId: PARTICIPANT.entityIdentifier,
  expiresAt: NOW + 300,
};

export function certificateWith(
  changes: Partial<Omit<KnownCertificate, 'life'>> & { life?: Partial<KnownCertificate['life']> },
): KnownCertificate {
  return { ...CERTIFICATE, ...changes, life: { ...CERTIFICATE.life, ...changes.life } };
}

export function letOffFrom(kind: KnownException['kind'], endsAt: number): KnownException {
  return { id: kind, applicationId: PARTICIPANT.id, kind, endsAt };
}

export interface Known {
  ageSeconds?: number;
  certificates?: readonly KnownCertificate[];
  application?: Partial<KnownApplication>;
  organisation?: Partial<KnownOrganisation>;
  otherOrganisation?: Partial<KnownOrganisation>;
  roles?: readonly GivenRole[];
  exceptions?: readonly KnownException[];
  apis?: readonly KnownApi[];
  /** The trust list for transport certificates; none: whatever is registered counts. */
  anchors?: readonly KnownTrustListEntry[];
}

/** One participant, and what is known of it. */
export function knownState({
  ageSeconds = 1,
  certificates = [CERTIFICATE],
  roles = [PISP],
  exceptions = [],
  apis = [API],
  anchors,
  ...known
}: Known): KnownState {
  const application = { ...PARTICIPANT, ...known.application };
  const organisations = [
    { ...ORGANISATION, ...known.organisation },
    { ...OTHER_ORGANISATION, ...known.otherOrganisation },
  ];
  const applicationWith = (id: string) => (id === application.id ? application : undefined);
  return {
    ...{ seq: 42, ageSeconds },
    certificates: (x5tS256) => certificates.filter((certificate) => certificate.x5tS256 === x5tS256),
    applicationOf: ({ applicationId }) => applicationWith(applicationId),
    application: applicationWith,
    applicationsNamed: (entityIdentifier) => (entityIdentifier === application.entityIdentifier ? [application] : []),
    applicationNamed: (authorityId, entityIdentifier) =>
      authorityId === application.authorityId && entityIdentifier === application.entityIdentifier
        ? application
        : undefined,
    organisation: (id) => organisations.find((organisation) => organisation.id === id),
    roles: () => roles,
    exceptions: () => exceptions,
    api: (id) => apis.find((api) => api.id === id),
    authorizationServer: () => undefined,
    isTransportListed: () => anchors !== undefined,
    transportAnchor: (_, x5tS256) => anchors?.find((anchor) => anchor.x5tS256 === x5tS256),
    enforcementPoint: () => undefined,
    enforcementPointOfToken: () => undefined,
    enforcementPointOfClient: () => undefined,
    tokenIssuer: () => undefined,
    introspectingIssuers: () => [],
  };
}

export type Asked = Partial<Omit<AdmissionQuestion, 'place'>> & { place?: Partial<EnforcementPlace> };

/** What is decided about the certificate of the participant, or whatever else is asked. */
export function ask(
  { place, ...asked }: Asked,
  state = knownState({}),
  said: AdmissionEvidence = {},
  isExplained = false,
) {
  const isTokenPresented = said.token !== undefined;
  const certificate = { x5tS256: CERTIFICATE.x5tS256 };
  const question = { certificate, isTokenPresented, ...asked, place: { ...PLACE, ...place } };
  return decide(question, state, said, { now: NOW, isExplained });
}
