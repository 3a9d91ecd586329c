/** Records of every kind, in organisations and authorities that somebody reaches or does not. */
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { ApiClient } from './api-client.ts';
import { inDays, type RecordIds } from './api-requests.ts';
import type { ApiService } from './api-service.ts';
import { requestPem } from './certificate-requests.ts';
import { chainOf, pem } from './certificates.ts';
import { certificationAuthority } from './certification.ts';
import { noteDeny } from './evidence.ts';
import { freshIdentifier, freshJwks, nextId } from './registry.ts';

/** What an authority has besides organisations. */
export async function authorityRecords({ service, admin }: ApiService, authority: Authority): Promise<RecordIds> {
  const authorityId = authority.id;
  const ownerId = await made(admin, '/api/v1/tokens', {
    name: 'owner',
    roles: ['registrar'],
    authorityIds: [authorityId],
  });
  const anchor = await made(admin, '/api/v1/trust-anchors', {
    ...{ authorityId, entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() },
  });
  const trustListEntryId = await made(admin, '/api/v1/trust-list', {
    ...{ authorityId, purpose: 'transport', certificate: pem(chainOf()[1]) },
  });
  const certificationAuthorityId = await made(admin, '/api/v1/certification-authorities', { authorityId, name: 'CA' });
  await certificationAuthority(service, authority);
  const enforcementPointId = await made(admin, '/api/v1/enforcement-points', { authorityId, name: 'gateway' });
  const tokenIssuerId = await made(admin, '/api/v1/token-issuers', {
    ...{ authorityId, issuer: freshIdentifier('as'), audiences: ['https://api.example'], jwks: await freshJwks() },
  });
  const webhook = { authorityId, name: 'ops', url: 'http://127.0.0.1:9/events' };
  const webhookId = await made(admin, '/api/v1/webhooks', webhook);
  const restored = await admin.post('/api/v1/imports?restore=true', { format: 'holdfast-export-2', records: {} });
  const domain = await made(admin, '/api/v1/authorisation-domains', { authorityId, name: 'banking' });
  const role = await made(admin, '/api/v1/roles', { domainId: domain, name: 'bank' });
  const type = await service.trustMarkType(authority);
  const { id: trustMarkId } = await service.trustMark(type);
  const delegation = { authorityId, trustMarkType: `${freshIdentifier('type')}/x`, issuer: freshIdentifier('issuer') };
  const delegationId = await made(admin, '/api/v1/trust-mark-delegations', delegation);
  const issuer = await service.authority();
  const foreign = await service.trustMarkType(issuer);
  await service.trustMark(foreign, authority.entityIdentifier);
  const shown = { authorityId, issuer: issuer.entityIdentifier, trustMarkType: foreign.trustMarkType };
  return {
    ...{
      authorityId,
      authority: authority.entityIdentifier,
      ownerId,
      trustAnchorId: anchor,
      trustListEntryId,
      certificationAuthorityId,
      enforcementPointId,
      tokenIssuerId,
      webhookId,
      importId: restored.body.stored,
      domainId: domain,
      roleId: role,
    },
    ...{ typeId: type.id, trustMarkId, delegationId, heldId: await made(admin, '/api/v1/held-trust-marks', shown) },
  };
}

/** What a new organisation of the authority has. */
export async function organisationRecords(
  { service, admin }: ApiService,
  authority: Authority,
  ofAuthority: RecordIds,
): Promise<RecordIds> {
  const { roleId, ownerId } = ofAuthority;
  const organisation = await service.organisation(authority);
  const entity = await service.entity(organisation, {
    entityTypes: ['openid_provider'],
    verifiedEntityTypes: ['openid_provider', 'federation_entity'],
  });
  const [key] = (await freshJwks()).keys;
  const ofOrganisation = `/api/v1/organisations/${organisation.id}`;
  const ofEntity = `/api/v1/entities/${entity.id}`;
  const server = await made(admin, '/api/v1/authorization-servers', { entityId: entity.id });
  const api = { authorizationServerId: server, family: 'payments', apiVersion: '1.0.0' };
  const enrolment = { organisationId: organisation.id, entityIdentifier: freshIdentifier('wanted'), draft: true };
  const token = { name: 'theirs', roles: ['technical-contact'], organisationIds: [organisation.id] };
  const exception = { kind: 'no_mtls', reason: 'x', ownerId, endsAt: inDays(30) };
  await noteDeny(service.db, {
    ...{ authorityId: authority.id, enforcementPointId: ofAuthority['enforcementPointId'] ?? '' },
    ...{ organisationId: organisation.id, entityId: entity.id },
  });
  return {
    organisationId: organisation.id,
    participantId: organisation.id,
    contactId: organisation.contacts[0]?.id ?? '',
    entityId: entity.id,
    organisationRoleId: await made(admin, `${ofOrganisation}/roles`, { roleId }),
    entityRoleId: await made(admin, `${ofEntity}/roles`, { roleId }),
    exceptionId: await made(admin, `${ofEntity}/exceptions`, exception),
    credentialId: await made(admin, `${ofEntity}/credentials`, { usage: 'signing', jwk: key }),
    requestId: await made(admin, `${ofEntity}/certificate-requests`, { request: requestPem(), profile: 'client' }),
    authorizationServerId: server,
    apiResourceId: await made(admin, '/api/v1/api-resources', api),
    enrolmentId: await made(admin, '/api/v1/enrolments', enrolment),
    tokenId: await made(admin, '/api/v1/tokens', token),
  };
}

/** What stands in paths beside ids. */
const OTHER_PARAMETERS: RecordIds = {
  seq: 'latest',
  kid: 'x',
  step: 'identity',
  job: 'prune_expired',
};

/** All records of a place. */
export function recordsAt(...records: readonly RecordIds[]): RecordIds {
  return Object.assign({}, OTHER_PARAMETERS, ...records);
}

/** Ids like those of a place that no record has. */
export function missingIds(place: RecordIds): RecordIds {
  const ids = Object.keys(place).map((name) => [name, name === 'authority' ? freshIdentifier('nobody') : nextId()]);
  return recordsAt(Object.fromEntries(ids), OTHER_PARAMETERS);
}

async function made(client: ApiClient, path: string, body: unknown): Promise<string> {
  const answer = await client.post(path, body);
  if (answer.status >= 300) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body.id;
}
