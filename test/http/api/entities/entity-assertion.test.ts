import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { giveRole } from '../../../../src/registry/roles/give-role.ts';
import { createToken } from '../../../../src/registry/tokens/create-token.ts';
import { makeEntityToken } from '../../../../src/registry/tokens/entity-token.ts';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { type ApiService, NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { NOW_DATE } from '../../../support/registry.ts';
import { assignedRole, role } from '../../../support/roles.ts';

const BASE = 'https://directory.example';
const UUID = /^[0-9a-f-]{36}$/;

let api: ApiService;
let authority: Authority;
let organisation: Organisation;
let entity: Entity;

beforeAll(async () => {
  api = await startApi({ baseUrl: BASE });
  authority = await api.service.authority();
  organisation = await api.service.organisation(authority);
  const redirects = { redirect_uris: ['https://rp.example/callback', 'https://rp.example/other'] };
  const client = { ...redirects, client_name: 'What it calls itself', client_uri: 'https://rp.example/' };
  const types = { openid_relying_party: { ...client, client_registration_types: ['automatic'] } };
  entity = await api.service.entity(organisation, {
    evidence: { digest: 'seen', claims: { metadata: types } },
    metadata: { openid_relying_party: { client_name: 'Portal' } },
    metadataPolicy: { openid_relying_party: { redirect_uris: { subset_of: ['https://rp.example/callback'] } } },
  });
});
afterAll(async () => {
  expect(api.service.failures).toEqual([]);
  await api[Symbol.asyncDispose]();
});

const path = (id: string) => `/api/v1/entities/${id}/assertion`;
const refused = async (client: ApiClient, id = entity.id) => refusalOf(await client.get(path(id)));

describe('[F14] GET', () => {
  it('200: a statement of the authority about the application as it is now', async () => {
    const { service } = api;
    const given = await role(service, authority, { name: 'DADOS', scopes: ['accounts', 'openid'] });
    const other = await role(service, authority, { name: 'PAGTO' });
    await assignedRole(service, organisation, { id: given.id, registrationId: 'R-1' });
    await assignedRole(service, organisation, { id: other.id });
    await giveRole(service.context(), entity.id, given.id);
    const { status, body } = await api.auditor.get(path(entity.id));
    expect(status).toBe(200);
    await compactVerify(body.assertion, createLocalJWKSet((await service.jwks(authority)) as JSONWebKeySet));
    expect(decodeProtectedHeader(body.assertion)).toMatchObject({ typ: 'software-statement+jwt', alg: 'ES256' });
    const iat = service.clock.now();
    expect(new Date(body.expiresAt).getTime() / 1000).toBe(iat + 600);
    const [ours, theirs] = [`${BASE}/keystore/${organisation.id}/${entity.id}`, `${BASE}/keystore/${organisation.id}`];
    const redirect_uris = ['https://rp.example/callback'];
    const client_uri = 'https://rp.example/';
    expect(decodeJwt(body.assertion)).toEqual({
      ...{ iss: authority.entityIdentifier, iat, exp: iat + 600, jti: expect.stringMatching(UUID) },
      ...{ sub: entity.id, software_id: entity.id, software_client_id: entity.entityIdentifier },
      ...{ software_status: 'Active', software_mode: 'Live', software_environment: 'production' },
      ...{ software_client_name: 'Portal', software_client_uri: client_uri, software_redirect_uris: redirect_uris },
      software_roles: ['DADOS'],
      software_statement_roles: [{ role: 'DADOS', authorisation_domain: given.domain, status: 'Active' }],
      software_jwks_uri: `${ours}/application.jwks`,
      software_jwks_inactive_uri: `${ours}/inactive/application.jwks`,
      software_jwks_transport_uri: `${ours}/transport.jwks`,
      software_jwks_transport_inactive_uri: `${ours}/inactive/transport.jwks`,
      org_jwks_uri: `${theirs}/application.jwks`,
      org_jwks_inactive_uri: `${theirs}/inactive/application.jwks`,
      org_jwks_transport_uri: `${theirs}/transport.jwks`,
      org_jwks_transport_inactive_uri: `${theirs}/inactive/transport.jwks`,
      software_jwks_endpoint: `${ours}/application.jwks`,
      software_jwks_revoked_endpoint: `${ours}/inactive/application.jwks`,
      org_jwks_endpoint: `${theirs}/application.jwks`,
      org_jwks_revoked_endpoint: `${theirs}/inactive/application.jwks`,
      ...{ legal_entity_id: organisation.id, legal_entity_name: organisation.legalName },
      ...{ org_id: organisation.id, org_name: organisation.legalName, org_status: 'Active' },
      organisation_competent_authority_claims: [
        { ...competence(given.domain, 'DADOS'), registration_id: 'R-1' },
        competence(other.domain, 'PAGTO'),
      ],
      ...{ client_name: 'Portal', client_uri, redirect_uris, scope: 'accounts openid' },
      jwks_uri: `${ours}/application.jwks`,
    });
    const again = await api.auditor.get(path(entity.id));
    expect(decodeJwt(again.body.assertion).jti).not.toBe(decodeJwt(body.assertion).jti);
  });

  it('200: to members of its organisation and to itself', async () => {
    const { service } = api;
    const token = { name: 'member', roles: ['technical-contact' as const], authorityIds: null, lifetimeSeconds: 3600 };
    const of = async ({ id }: Organisation) => {
      const { secret } = await createToken(service.context(), { ...token, organisationIds: [id] });
      return new ApiClient(service.app, { authorization: `Bearer ${secret}` });
    };
    expect((await (await of(organisation)).get(path(entity.id))).status).toBe(200);
    expect(await refused(await of(await service.organisation(authority)))).toBe('404 not_found');
    const kid = entity.keys[0]?.jwk.kid ?? '';
    const own = await makeEntityToken(service.db, entity.id, { kid }, NOW_DATE);
    const itself = new ApiClient(service.app, { authorization: `Bearer ${own}` });
    expect((await itself.get(path(entity.id))).status).toBe(200);
    expect(await refused(itself, (await service.entity(organisation)).id)).toBe('404 not_found');
  });

  it('200: it ends when a role of the organisation does', async () => {
    const { service } = api;
    const theirs = await service.organisation(authority);
    const { id } = await service.entity(theirs);
    await assignedRole(service, theirs, { validTo: new Date((service.clock.now() + 120) * 1000) });
    const { body } = await api.auditor.get(path(id));
    const { iat = 0, exp } = decodeJwt(body.assertion);
    expect(exp).toBe(iat + 120);
  });

  it('403 not_active: of an application or an organisation that is not active', async () => {
    const { service } = api;
    const theirs = await service.organisation(authority);
    const [pending, closed] = [
      await service.entity(theirs, {}, 'pending'),
      await service.entity(theirs, {}, 'revoked'),
    ];
    const { id } = await service.entity(theirs);
    for (const one of [pending, closed]) expect(await refused(api.admin, one.id)).toBe('403 not_active');
    await transitionEntity(service.context(), id, 'suspend', 'by a test');
    expect(await refused(api.admin, id)).toBe('403 not_active');
    await transitionEntity(service.context(), id, 'reinstate', 'by a test');
    expect((await api.admin.get(path(id))).status).toBe(200);
    await transitionOrganisation(service.context(), theirs.id, 'suspend', 'by a test');
    expect(await refused(api.admin, id)).toBe('403 not_active');
  });

  it('404: no such entity, or one out of reach', async () => {
    expect(await refused(api.admin, NO_SUCH_ID)).toBe('404 not_found');
    const elsewhere = await api.client(['admin'], [await api.service.authority()]);
    expect(await refused(elsewhere)).toBe('404 not_found');
  });

  it('409: its metadata is not what policies want by now', async () => {
    const { service } = api;
    const policy = { openid_relying_party: { contacts: { essential: true } } };
    await updateEntity(service.context(), entity.id, { metadataPolicy: policy });
    expect(await refused(api.admin)).toBe('409 policy_conflict');
  });
});

function competence(domain: string, name: string) {
  const ofAuthority = { authority_id: authority.id, authority_name: authority.name };
  return { ...ofAuthority, authorisation_domain: domain, authorisation_role: name, status: 'Active' };
}
