/** A token reaches its authorities; all others do not exist for it, whatever the operation. */
import { afterAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/http/api/operations.ts';
import { type ApiAnswer, refusalOf } from '../../support/api-client.ts';
import { startApi } from '../../support/api-service.ts';
import { credential, publicJwk } from '../../support/credentials.ts';
import { exceptionOf } from '../../support/exceptions.ts';
import { apiResource } from '../../support/offers.ts';
import { freshIdentifier, freshJwks } from '../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const ours = await service.authority();
const theirs = await service.authority();
const organisation = await service.organisation(theirs);
const entity = await service.entity(organisation);
const jwks = await freshJwks();
const anchor = await api.admin.post('/api/v1/trust-anchors', {
  authorityId: theirs.id,
  entityIdentifier: freshIdentifier('anchor'),
  jwks,
});
const { id: apiResourceId, authorizationServerId } = await apiResource(service, theirs);
const domain = await api.admin.post('/api/v1/authorisation-domains', { authorityId: theirs.id, name: 'x' });
const role = await api.admin.post('/api/v1/roles', { domainId: domain.body.id, name: 'x' });
const roleId: string = role.body.id;
const organisationRole = await api.admin.post(`/api/v1/organisations/${organisation.id}/roles`, { roleId });
const entityRole = await api.admin.post(`/api/v1/entities/${entity.id}/roles`, { roleId });
const { id: credentialId } = await credential(service, theirs);
const draft = { organisationId: organisation.id, entityIdentifier: freshIdentifier('draft'), draft: true };
const { body: enrolment } = await api.registrar.post('/api/v1/enrolments', draft);
const foreignType = await service.trustMarkType(theirs);
const { id: typeId } = foreignType;
const { id: trustMarkId } = await service.trustMark(foreignType);
const delegation = { authorityId: theirs.id, trustMarkType: 'https://x.example/marks/y', issuer: 'https://x.example' };
const { body: given } = await api.admin.post('/api/v1/trust-mark-delegations', delegation);
const issuer = await service.authority();
const type = await service.trustMarkType(issuer);
await service.trustMark(type, theirs.entityIdentifier);
const { body: shown } = await api.admin.post('/api/v1/held-trust-marks', {
  authorityId: theirs.id,
  issuer: issuer.entityIdentifier,
  trustMarkType: type.trustMarkType,
});
const exception = await exceptionOf(service, theirs);
const stranger = await api.client(['admin', 'registrar', 'approver', 'auditor'], [ours]);

const FOREIGN_IDS: Readonly<Record<string, string>> = {
  authorityId: theirs.id,
  organisationId: organisation.id,
  entityId: entity.id,
  enrolmentId: enrolment.id,
  step: 'keys',
  domainId: domain.body.id,
  roleId,
  organisationRoleId: organisationRole.body.id,
  entityRoleId: entityRole.body.id,
  credentialId,
  authorizationServerId,
  apiResourceId,
  exceptionId: exception.id,
  trustAnchorId: anchor.body.id,
  typeId,
  trustMarkId,
  delegationId: given.id,
  heldId: shown.id,
  contactId: organisation.contacts[0]?.id ?? '',
  kid: 'x',
};

/** Bodies by which an operation speaks of records of another authority, or that it needs to get that far. */
const BODIES: Readonly<Record<string, unknown>> = {
  updateAuthority: { name: 'x' },
  replaceMetadataPolicy: {},
  rollAuthorityKey: { reason: 'x' },
  activateAuthorityKey: { reason: 'x' },
  revokeAuthorityKey: { revocationReason: 'compromised', reason: 'x' },
  addOrganisation: { authorityId: theirs.id, legalName: 'x' },
  updateOrganisation: { legalName: 'x' },
  addContact: { type: 'incident', email: 'x@x.example' },
  updateContact: { name: 'x' },
  acceptTerms: { version: '1', acceptedBy: 'x' },
  submitEnrolment: { organisationId: organisation.id, entityIdentifier: 'https://x.example', draft: true },
  updateEnrolment: { name: 'x' },
  cancelEnrolment: { reason: 'x' },
  enrolEntity: { organisationId: organisation.id, entityIdentifier: 'https://x.example' },
  createEnrolmentChallenge: { authorityId: theirs.id, entityIdentifier: 'https://x.example' },
  updateEntity: { metadata: {} },
  acceptEntityKey: { kid: 'x', thumbprint: 'x'.repeat(43), reason: 'x' },
  refuseEntityKey: { kid: 'x', reason: 'x' },
  removeEntityKey: { kid: 'x', reason: 'x' },
  markEntityKeyCompromised: { kid: 'x', reason: 'x' },
  updateHosting: { configurationLifetimeSeconds: 3600 },
  rollHostedKey: { reason: 'x' },
  takeHostedKey: { recipient: jwks.keys[0], reason: 'x' },
  bringHostedKey: { jwks, challenge: 'x', keyProofs: ['x'], outOfBandCheck: 'x' },
  uploadConfiguration: { configuration: 'x' },
  stopHosting: { reason: 'x' },
  addAuthorisationDomain: { authorityId: theirs.id, name: 'y' },
  updateAuthorisationDomain: { name: 'y' },
  addRole: { domainId: domain.body.id, name: 'y' },
  updateRole: { name: 'y' },
  assignOrganisationRole: { roleId },
  updateOrganisationRole: { registrationId: 'x' },
  giveEntityRole: { roleId },
  addCredential: { usage: 'signing', ...publicJwk() },
  replaceCredential: publicJwk(),
  holdCredential: { reason: 'x' },
  releaseCredential: { reason: 'x' },
  revokeCredential: { reasonCode: 'superseded', reason: 'x' },
  addAuthorizationServer: { entityId: entity.id },
  updateAuthorizationServer: { retiresAt: null },
  requestException: { kind: 'no_mtls', reason: 'x', ownerId: entity.id, endsAt: '2027-06-01T00:00:00.000Z' },
  addApiResource: { authorizationServerId, family: 'x', apiVersion: '1.0.0' },
  updateApiResource: { endpoints: [] },
  pinTrustAnchor: { authorityId: theirs.id, entityIdentifier: 'https://x.example', jwks },
  replaceTrustAnchorKeys: { jwks },
  defineTrustMarkType: { authorityId: theirs.id, trustMarkType: 'https://x.example/marks/x', name: 'x' },
  updateTrustMarkType: { name: 'x' },
  grantTrustMark: { typeId, subject: 'https://x.example' },
  requestTrustMark: { typeId, subject: 'https://x.example' },
  renewTrustMark: { expiresAt: null },
  makeTrustMarkDelegation: { ...delegation, issuer: 'https://y.example' },
  renewTrustMarkDelegation: { expiresAt: null },
  holdTrustMark: { authorityId: theirs.id, trustMark: 'x' },
  makeAuditCheckpoint: { authorityId: theirs.id },
};

/** Lists that can be asked for one authority. */
const FILTERED = [
  'listOrganisations',
  'listEnrolments',
  'listEntities',
  'listAuthorisationDomains',
  'listRoles',
  'listCredentials',
  'listAuthorizationServers',
  'listApiResources',
  'listFindings',
  'listExceptions',
  'listTrustMarkTypes',
  'listTrustMarks',
  'listTrustMarkDelegations',
  'listHeldTrustMarks',
  'listTrustAnchors',
  'listAudit',
  'listAuditCheckpoints',
];

/** Queries that name an authority in another way. */
const QUERIES: Readonly<Record<string, string>> = {
  explainResolution: `?authority=${encodeURIComponent(theirs.entityIdentifier)}&sub=https://x.example`,
};

/** Operations that speak of no authority, or of the whole deployment. */
const WITHOUT_AUTHORITY = [
  'listAuthorities',
  'createAuthority',
  'whoAmI',
  'listTokens',
  'createToken',
  'rotateToken',
  'rotateOwnToken',
  'revokeToken',
  'grantAccessToken',
  'exportAudit',
  'readLiveness',
  'readReadiness',
];

const operations = OPERATIONS.map(({ route }) => route).filter(
  ({ operationId = '' }) => !WITHOUT_AUTHORITY.includes(operationId),
);

const COVERED = operations.map(({ operationId = '', method, path }) => ({ operationId, method, path }));

function askAsStranger({ operationId, method, path }: (typeof COVERED)[number]): Promise<ApiAnswer> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => FOREIGN_IDS[name] ?? '');
  const query = FILTERED.includes(operationId) ? `?authorityId=${theirs.id}` : (QUERIES[operationId] ?? '');
  const isTransition = /\/(approve|reject|suspend|reinstate|withdraw|revoke|retire|confirm|remove|end)$/.test(path);
  const body = BODIES[operationId] ?? (isTransition ? { reason: 'x' } : undefined);
  return stranger.send(method.toUpperCase(), `${filled}${query}`, { body, headers: { 'if-match': '"1"' } });
}

describe('404', () => {
  it.each(COVERED)('$operationId: $method $path', async (operation) => {
    const seq = await service.seq();
    const answer = await askAsStranger(operation);
    expect(refusalOf(answer)).toBe('404 not_found');
    expect(JSON.stringify(answer.body)).not.toContain(theirs.entityIdentifier);
    expect(await service.seq()).toBe(seq);
  });

  it('covers every operation that has to do with an authority', () => {
    expect(COVERED.length).toBe(OPERATIONS.length - WITHOUT_AUTHORITY.length);
    for (const { operationId, method, path } of COVERED) {
      const isFiltered = FILTERED.includes(operationId) || operationId in QUERIES;
      const speaksOfRecords = path.includes('{') || operationId in BODIES || isFiltered;
      expect(speaksOfRecords, `${method} ${path}`).toBe(true);
    }
  });
});

const LISTS = [
  'authorities',
  'organisations',
  'enrolments',
  'entities',
  'authorisation-domains',
  'roles',
  'credentials',
  'authorization-servers',
  'api-resources',
  'trust-mark-types',
  'trust-marks',
  'trust-mark-delegations',
  'held-trust-marks',
  'trust-anchors',
];

describe('200', () => {
  it.each(LISTS)('lists nothing of theirs: %s', async (list) => {
    const { body } = await stranger.get(`/api/v1/${list}`);
    const own = body.items.filter((item: { id: string }) => item.id !== ours.id);
    expect(own).toEqual([]);
    const { body: all } = await api.auditor.get(`/api/v1/${list}`);
    expect(all.items.length).toBeGreaterThan(0);
  });

  it('says the same about what is theirs and what is not there', async () => {
    const foreign = await stranger.get(`/api/v1/entities/${entity.id}`, { 'x-request-id': 'r' });
    const missing = await stranger.get(`/api/v1/entities/${theirs.id}`, { 'x-request-id': 'r' });
    expect(foreign.body).toEqual(JSON.parse(JSON.stringify(missing.body).replaceAll(theirs.id, entity.id)));
  });
});
