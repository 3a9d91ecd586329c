/** A request for every operation of the API, about any records: complete enough to get as far as looking at these. */
import { OPERATIONS } from '../../src/http/api/operations.ts';
import { requestPem } from './certificate-requests.ts';
import { chainOf, pem } from './certificates.ts';
import { NOW } from './federation.ts';
import { testKey } from './keys.ts';

/** Ids of records, by the names that path parameters have. */
export type RecordIds = Readonly<Record<string, string>>;

export interface ApiRequest {
  method: string;
  path: string;
  body?: unknown;
}

const jwks = { keys: [(await testKey('ES256', 4711)).jwk] };
/** In the time of tests. */
export const inDays = (days: number) => new Date((NOW + days * 86_400) * 1000).toISOString();

/** Of a certification authority, always the same. */
const CA_PEM = pem(chainOf()[1]);

const MARK_TYPE = 'https://x.example/marks/y';

/**
 * Bodies by operation; transitions need none here. A new operation with a body adds a row; one whose path names a new
 * kind of record adds it to {@link recordsAt}.
 */
const BODIES: Readonly<Record<string, (ids: RecordIds) => unknown>> = {
  createAuthority: () => ({ entityIdentifier: 'https://made.example', name: 'x' }),
  updateAuthority: () => ({ name: 'x' }),
  replaceMetadataPolicy: () => ({}),
  rollAuthorityKey: () => ({ reason: 'x' }),
  activateAuthorityKey: () => ({ reason: 'x' }),
  revokeAuthorityKey: () => ({ revocationReason: 'compromised', reason: 'x' }),
  addOrganisation: ({ authorityId }) => ({ authorityId, legalName: 'x' }),
  updateOrganisation: () => ({ legalName: 'x' }),
  changeOrganisationSuspension: () => ({ until: null, reason: 'x' }),
  changeEntitySuspension: () => ({ until: null, reason: 'x' }),
  addContact: () => ({ type: 'incident', email: 'x@x.example' }),
  updateContact: () => ({ name: 'x' }),
  acceptTerms: () => ({ version: '1', acceptedBy: 'x' }),
  withdrawTerms: () => ({ version: 'x', reason: 'x' }),
  withdrawOrganisationDomain: () => ({ domain: 'x', reason: 'x' }),
  submitEnrolment: ({ organisationId }) => ({ organisationId, entityIdentifier: 'https://y.example', draft: true }),
  updateEnrolment: () => ({ name: 'x' }),
  enrolEntity: ({ organisationId }) => ({ organisationId, entityIdentifier: 'https://x.example' }),
  createEnrolmentChallenge: ({ authorityId }) => ({ authorityId, entityIdentifier: 'https://x.example' }),
  updateEntity: () => ({ metadata: {} }),
  acceptEntityKey: () => ({ kid: 'x', thumbprint: 'x'.repeat(43), reason: 'x' }),
  refuseEntityKey: () => ({ kid: 'x', reason: 'x' }),
  removeEntityKey: () => ({ kid: 'x', reason: 'x' }),
  markEntityKeyCompromised: () => ({ kid: 'x', reason: 'x' }),
  updateHosting: () => ({ configurationLifetimeSeconds: 3600 }),
  rollHostedKey: () => ({ reason: 'x' }),
  takeHostedKey: () => ({ recipient: jwks.keys[0], reason: 'x' }),
  bringHostedKey: () => ({ jwks, challenge: 'x', keyProofs: ['x'], outOfBandCheck: 'x' }),
  uploadConfiguration: () => ({ configuration: 'x' }),
  stopHosting: () => ({ reason: 'x' }),
  addAuthorisationDomain: ({ authorityId }) => ({ authorityId, name: 'x' }),
  updateAuthorisationDomain: () => ({ name: 'x' }),
  addRole: ({ domainId }) => ({ domainId, name: 'x' }),
  updateRole: () => ({ description: 'x' }),
  assignOrganisationRole: ({ roleId }) => ({ roleId }),
  updateOrganisationRole: () => ({ validTo: null }),
  removeOrganisationRole: () => ({ reason: 'x', dryRun: true }),
  giveEntityRole: ({ roleId }) => ({ roleId, dryRun: true }),
  takeEntityRole: () => ({ reason: 'x', dryRun: true }),
  addCredential: () => ({ usage: 'signing', jwk: jwks.keys[0] }),
  replaceCredential: () => ({ jwk: jwks.keys[0] }),
  revokeCredential: () => ({ reasonCode: 'superseded', reason: 'x' }),
  requestException: ({ ownerId }) => ({ kind: 'no_mtls', reason: 'x', ownerId, endsAt: inDays(30) }),
  addAuthorizationServer: ({ entityId }) => ({ entityId }),
  updateAuthorizationServer: () => ({ retiresAt: null }),
  addApiResource: ({ authorizationServerId }) => ({ authorizationServerId, family: 'x', apiVersion: '1.0.0' }),
  updateApiResource: () => ({ endpoints: [] }),
  pinTrustAnchor: ({ authorityId }) => ({ authorityId, entityIdentifier: 'https://x.example', jwks }),
  replaceTrustAnchorKeys: () => ({ jwks }),
  addTrustListEntry: ({ authorityId }) => ({ authorityId, purpose: 'signing', certificate: CA_PEM }),
  requestCertificate: () => ({ request: requestPem(), profile: 'client' }),
  makeCertificateCode: () => ({ profile: 'client' }),
  createCertificationAuthority: ({ authorityId }) => ({ authorityId, name: 'x' }),
  updateCertificationAuthority: () => ({ overlapDays: 7 }),
  activateCertificationAuthority: () => ({ certificate: CA_PEM }),
  importRegistry: () => ({ format: 'holdfast-export-2', records: {} }),
  askAdmission: () => ({}),
  tryAdmission: () => ({}),
  acknowledgeSeq: () => ({ seq: 1 }),
  addWebhook: ({ authorityId }) => ({ authorityId, name: 'x', url: 'http://127.0.0.1:9/x' }),
  updateWebhook: () => ({ name: 'x' }),
  rotateWebhookSecret: () => ({}),
  replayWebhook: () => ({ what: 'dead' }),
  addTokenIssuer: ({ authorityId }) => ({ authorityId, issuer: 'https://x.example', audiences: ['x'], jwks }),
  updateTokenIssuer: () => ({ audiences: ['x'] }),
  addEnforcementPoint: ({ authorityId }) => ({ authorityId, name: 'x', hasToken: false }),
  updateEnforcementPoint: () => ({ allowSample: 0 }),
  defineTrustMarkType: ({ authorityId }) => ({ authorityId, trustMarkType: 'https://x.example/marks/x', name: 'x' }),
  updateTrustMarkType: () => ({ name: 'x' }),
  grantTrustMark: ({ typeId }) => ({ typeId, subject: 'https://x.example' }),
  requestTrustMark: ({ typeId }) => ({ typeId, subject: 'https://x.example' }),
  renewTrustMark: () => ({ expiresAt: null }),
  makeTrustMarkDelegation: ({ authorityId }) => ({
    authorityId,
    trustMarkType: MARK_TYPE,
    issuer: 'https://y.example',
  }),
  renewTrustMarkDelegation: () => ({ expiresAt: null }),
  holdTrustMark: ({ authorityId }) => ({ authorityId, trustMark: 'x' }),
  makeAuditCheckpoint: ({ authorityId }) => ({ authorityId }),
  createToken: ({ organisationId }) => ({
    name: 'x',
    roles: ['technical-contact'],
    organisationIds: [organisationId],
  }),
  rotateToken: () => ({}),
  rotateOwnToken: () => ({}),
};

/** Queries that name an authority; lists do so by `authorityId`. */
const QUERIES: Readonly<Record<string, (ids: RecordIds) => string>> = {
  explainResolution: ({ authority = '' }) => `?authority=${encodeURIComponent(authority)}&sub=https://x.example`,
};

/** Lists of what has no authority to ask for. */
const UNFILTERED = ['listAuthorities', 'listTokens', 'listJobs', 'listImports'];

/** They show what is in reach of an authority, like lists. */
const LIKE_LISTS = ['readPropagation', 'followEvents'];

export interface ApiOperation {
  operationId: string;
  method: string;
  path: string;
  /** What it is asked for: a record, an authority (of which it shows what is in reach), or nothing in particular. */
  asks: 'record' | 'authority' | 'nothing';
}

export const API_OPERATIONS: readonly ApiOperation[] = OPERATIONS.map(({ route }) => {
  const { operationId = '', method, path } = route;
  const isList = LIKE_LISTS.includes(operationId) || (operationId.startsWith('list') && !path.includes('{'));
  const asks = !isList ? 'record' : UNFILTERED.includes(operationId) ? 'nothing' : 'authority';
  return { operationId, method: method.toUpperCase(), path, asks };
});

/** What the operation is asked about the records. */
export function requestOf({ operationId, method, path, asks }: ApiOperation, ids: RecordIds): ApiRequest {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`say in recordsAt what ${name} is, for ${operationId}`);
    return id;
  });
  const query = asks === 'authority' ? `?authorityId=${ids['authorityId']}` : (QUERIES[operationId]?.(ids) ?? '');
  const isTransition = method === 'POST' && /\/\{\w+\}\/\w+$/.test(path);
  const body = BODIES[operationId]?.(ids) ?? (isTransition ? { reason: 'x' } : undefined);
  return { method, path: `${filled}${query}`, body };
}
