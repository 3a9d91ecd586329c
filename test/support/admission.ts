/** A participant, its certificate and an enforcement point, for tests of admission. */
import type {
  AdmissionQuestion,
  ChainVerdict,
  EnforcementPlace,
  TokenVerdict,
} from '../../src/admission/admission-question.ts';
import { type AdmissionDecision, decide, type KnownState } from '../../src/admission/decide.ts';
import type {
  KnownApi,
  KnownApplication,
  KnownCertificate,
  KnownOrganisation,
  KnownRole,
} from '../../src/admission/known-participants.ts';

/** Seconds since the epoch. */
export const NOW = 1_800_000_000;

export const PLACE: EnforcementPlace = {
  authorityId: 'authority',
  mode: 'live',
  environment: 'production',
  apiId: null,
  maxStalenessSeconds: 10,
  isTokenRequired: false,
};

export const PISP: KnownRole = { roleId: 'pisp', name: 'PISP', validFrom: null, validTo: null };

export const OTHER_ORGANISATION: KnownOrganisation = { id: 'other', legalName: 'Other Ltd', state: 'active' };

export const PARTICIPANT: KnownApplication = {
  id: 'application',
  authorityId: PLACE.authorityId,
  entityIdentifier: 'https://rp.example',
  name: 'Payments',
  mode: 'live',
  environment: 'production',
  state: 'active',
  organisation: { id: 'organisation', legalName: 'Example Ltd', state: 'active' },
  onBehalfOf: null,
  roles: [PISP],
  exceptions: [],
};

export const CERTIFICATE: KnownCertificate = {
  x5tS256: 'c'.repeat(43),
  life: { state: 'active', notBefore: null, notAfter: new Date((NOW + 86_400) * 1000), supersededAt: null },
  isTrusted: true,
  application: PARTICIPANT,
};

export const API: KnownApi = {
  id: 'payments',
  authorityId: PLACE.authorityId,
  family: 'payments',
  apiVersion: '2.0.0',
  roleIds: [PISP.roleId],
};

export const TOKEN: Extract<TokenVerdict, { expiresAt: number }> = {
  boundTo: CERTIFICATE.x5tS256,
  clientId: undefined,
  expiresAt: NOW + 300,
};

export function certificateWith(
  changes: Partial<Omit<KnownCertificate, 'life'>> & { life?: Partial<KnownCertificate['life']> },
): KnownCertificate {
  return { ...CERTIFICATE, ...changes, life: { ...CERTIFICATE.life, ...changes.life } };
}

export interface Known {
  ageSeconds?: number;
  certificates?: readonly KnownCertificate[];
  applications?: readonly KnownApplication[];
  apis?: readonly KnownApi[];
}

export function knownState({
  ageSeconds = 1,
  certificates = [CERTIFICATE],
  applications = [PARTICIPANT],
  apis = [API],
}: Known): KnownState {
  return {
    ...{ seq: 42, ageSeconds },
    certificate: (x5tS256) => certificates.find((known) => known.x5tS256 === x5tS256),
    application: (authorityId, entityIdentifier) =>
      applications.find((known) => known.authorityId === authorityId && known.entityIdentifier === entityIdentifier),
    api: (id) => apis.find((known) => known.id === id),
  };
}

export type Asked = Partial<Omit<AdmissionQuestion, 'place'>> & { place?: Partial<EnforcementPlace> };

export interface Said {
  token?: (application: KnownApplication) => TokenVerdict;
  chain?: (application: KnownApplication) => ChainVerdict;
}

/** What is decided at once about the certificate of the participant, or whatever else is asked. */
export function ask({ place, ...asked }: Asked, state = knownState({}), said: Said = {}, isExplained = false) {
  const decision = decide(
    { certificate: { x5tS256: CERTIFICATE.x5tS256 }, ...asked, place: { ...PLACE, ...place } },
    state,
    {
      token: (application) => said.token?.(application),
      chain: (application) => said.chain?.(application) ?? { reason: 'trust_chain_invalid', detail: 'none' },
    },
    { now: NOW, isExplained },
  );
  if (decision instanceof Promise) throw new Error('somebody had to be asked');
  return decision satisfies AdmissionDecision;
}
