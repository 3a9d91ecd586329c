/** Row F02 of the directory's features over the API: domains, roles, and whom they are given to. */
import { afterAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, refusalOf } from '../../../support/api-client.ts';
import { type ApiService, NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api: ApiService = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const authority = await api.service.authority();
const organisation = await api.service.organisation(authority);
const rolesOf = (organisationId: string) => `/api/v1/organisations/${organisationId}/roles`;

let made = 0;

async function newDomain(): Promise<ApiAnswer> {
  return await api.admin.post('/api/v1/authorisation-domains', { authorityId: authority.id, name: `Domain ${++made}` });
}

async function newRole(settings: Record<string, unknown> = {}): Promise<ApiAnswer> {
  const domainId = (await newDomain()).body.id;
  return await api.admin.post('/api/v1/roles', { domainId, name: 'PISP', ...settings });
}

/** A role of the organisation. */
async function assigned(
  settings: Record<string, unknown> = {},
): Promise<{ roleId: string; at: string; answer: ApiAnswer }> {
  const roleId = (await newRole(settings)).body.id;
  const answer = await api.registrar.post(rolesOf(organisation.id), { roleId });
  return { roleId, at: `${rolesOf(organisation.id)}/${answer.body.id}`, answer };
}

const GOLD = { openid_relying_party: { grade: { value: 'gold' } } };

it('F02 a date that databases read as another one, or not at all, is refused', async () => {
  const roleId = (await newRole()).body.id;
  for (const validFrom of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00Z']) {
    const { status, body } = await api.registrar.post(rolesOf(organisation.id), { roleId, validFrom });
    expect([status, body.errors[0].pointer]).toEqual([400, '/validFrom']);
  }
});

describe('F02 domains and roles', () => {
  it('F02 are added, listed, read and changed', async () => {
    const domain = await newDomain();
    const at = `/api/v1/authorisation-domains/${domain.body.id}`;
    expect([domain.status, domain.headers.get('location'), domain.etag]).toEqual([201, at, '"1"']);
    const changed = await api.admin.patch(at, { description: 'Payments and accounts.' }, { 'if-match': domain.etag });
    expect((await api.auditor.get(at)).body).toEqual(changed.body);
    const found = await api.auditor.get(`/api/v1/authorisation-domains?name=${encodeURIComponent(domain.body.name)}`);
    expect(found.body.items).toEqual([changed.body]);

    const implied = {
      scopes: ['openid', 'payments'],
      grantTypes: ['authorization_code'],
      entityType: 'openid_relying_party',
      metadataPolicy: GOLD,
      trustMarkTypes: ['https://ta.example/marks/pisp'],
      approvals: 2,
    };
    const role = await api.admin.post('/api/v1/roles', { domainId: domain.body.id, name: 'PISP', ...implied });
    expect(role.body).toMatchObject({ ...implied, name: 'PISP', domain: domain.body.name, state: 'active' });
    const path = `/api/v1/roles/${role.body.id}`;
    expect(role.headers.get('location')).toBe(path);
    const renamed = await api.admin.patch(path, { name: 'PIS Provider' }, { 'if-match': role.etag });
    expect(renamed.body).toMatchObject({ name: 'PIS Provider', affected: [], affectedTotal: 0 });
    expect((await api.auditor.get(path)).body).toMatchObject({ name: 'PIS Provider', version: 2 });
    const listed = await api.auditor.get(`/api/v1/roles?domainId=${domain.body.id}&state=active&name=pis%20provider`);
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual([role.body.id]);
    const retired = await api.admin.post(`${path}/retire`, { reason: 'the law changed' });
    expect(retired.body.state).toBe('retired');
    expect((await api.admin.post(`${path}/reinstate`, { reason: 'and back' })).body.state).toBe('active');
  });

  it.each([
    ['a member that there is not', { colour: 'red' }, '400 validation_failed /colour'],
    ['three approvals', { approvals: 3 }, '400 validation_failed /approvals'],
    ['a scope with a space in it', { scopes: ['a b'] }, '400 validation_failed /scopes/0'],
    ['a scope twice', { scopes: ['a', 'a'] }, '400 validation_failed /scopes'],
    ['a name of two lines', { name: 'a\nb' }, '400 validation_failed /name'],
    ['a name that turns the direction of text', { name: 'a\u202eb' }, '400 validation_failed /name'],
    [
      'a policy that nobody could follow',
      { metadataPolicy: { openid_relying_party: { x: { value: 1, one_of: [2] } } } },
      '400 validation_failed /metadataPolicy/openid_relying_party/x/one_of',
    ],
  ])('F02 refuses a role with %s', async (_what, settings, refusal) => {
    expect(refusalOf(await newRole(settings))).toBe(refusal);
  });

  it('F02 are made by admins, and read where the token reaches', async () => {
    const role = await newRole();
    const path = `/api/v1/roles/${role.body.id}`;
    const domain = { authorityId: authority.id, name: 'x' };
    expect(refusalOf(await api.registrar.post('/api/v1/authorisation-domains', domain))).toBe('403 role_missing');
    expect(refusalOf(await api.registrar.patch(path, { name: 'x' }, { 'if-match': '*' }))).toBe('403 role_missing');
    expect(refusalOf(await api.admin.patch(path, { name: 'x' }))).toBe('428 version_required');
    expect(refusalOf(await api.admin.patch(path, { name: 'x' }, { 'if-match': '"7"' }))).toBe('412 version_mismatch');
    const elsewhere = await api.client(['admin'], [await api.service.authority()]);
    expect(refusalOf(await elsewhere.get(path))).toBe('404 not_found');
    expect(refusalOf(await elsewhere.get(`/api/v1/roles?authorityId=${authority.id}`))).toBe('404 not_found');
    expect((await elsewhere.get('/api/v1/roles')).body.items).toEqual([]);
    expect(refusalOf(await api.admin.get(`/api/v1/roles/${NO_SUCH_ID}`))).toBe('404 not_found');
  });
});

describe('F02 roles of organisations and entities', () => {
  it('F02 are assigned with what the regulator says, changed, and shown by the clock', async () => {
    const { body } = await newRole();
    const given = {
      roleId: body.id,
      registrationId: 'FCA-1',
      jurisdictions: ['GB', 'IE'],
      validTo: '2099-01-01T00:00:00.000Z',
    };
    const answer = await api.registrar.post(rolesOf(organisation.id), given, { 'idempotency-key': 'once' });
    expect(answer.body).toMatchObject({
      ...given,
      role: 'PISP',
      domain: body.domain,
      state: 'active',
      validFrom: null,
    });
    const again = await api.registrar.post(rolesOf(organisation.id), given, { 'idempotency-key': 'once' });
    expect(again.body).toEqual(answer.body);
    const at = answer.headers.get('location') ?? '';
    const ended = await api.registrar.patch(at, { validTo: '2020-01-01T00:00:00.000Z' }, { 'if-match': answer.etag });
    expect([ended.status, ended.body.state]).toEqual([200, 'ended']);
    const listed = await api.auditor.get(`${rolesOf(organisation.id)}?roleId=${body.id}`);
    expect(listed.body.items).toEqual([ended.body]);
    expect(refusalOf(await api.registrar.post(rolesOf(organisation.id), given))).toBe('409 role_assigned');
  });

  it('F02 role to an app whose org lacks it → 422 role_not_held', async () => {
    const roleId = (await newRole()).body.id;
    const { id } = await api.service.entity(organisation);
    const answer = await api.registrar.post(`/api/v1/entities/${id}/roles`, { roleId });
    expect(refusalOf(answer)).toBe('422 role_not_held /roleId');
    expect(answer.body).toMatchObject({ role: 'PISP', roleId, organisation: organisation.id });
  });

  it('F02 shapes what is said about the entity, shown before and after', async () => {
    const { roleId } = await assigned({ metadataPolicy: GOLD });
    const { id } = await api.service.entity(organisation);
    const path = `/api/v1/entities/${id}/roles`;
    const preview = await api.registrar.post(path, { roleId, dryRun: true });
    expect(preview.body).toMatchObject({ metadataPolicy: GOLD, roles: [{ roleId, role: 'PISP' }] });
    expect((await api.auditor.get(path)).body.items).toEqual([]);
    const given = await api.registrar.post(
      path,
      { roleId },
      { 'if-match': (await api.auditor.get(`/api/v1/entities/${id}`)).etag },
    );
    const [role] = (await api.auditor.get(path)).body.items;
    expect([preview.body.id, given.body]).toEqual([null, { ...preview.body, id: role.id }]);
    expect((await api.registrar.post(path, { roleId })).body).toEqual(given.body);
    expect(role).toMatchObject({ role: 'PISP', roleId, state: 'active' });
    expect((await api.auditor.get(`${path}/${role.id}`)).body).toEqual(role);
    const entity = await api.auditor.get(`/api/v1/entities/${id}`);
    expect([entity.etag, entity.body.roles]).toEqual([
      given.etag,
      [{ roleId, role: 'PISP', validFrom: null, validTo: null }],
    ]);
    const taken = await api.registrar.post(`${path}/${role.id}/remove`, { reason: 'unused' });
    expect(taken.body).toMatchObject({ roles: [], metadataPolicy: {} });
    expect((await api.auditor.get(`${path}?removed=true`)).body.items).toMatchObject([
      { state: 'removed', stateReason: 'unused' },
    ]);
  });

  it('F02 a conflict is 409 with place, operator and entity', async () => {
    const { roleId } = await assigned({ metadataPolicy: GOLD });
    const metadataPolicy = { openid_relying_party: { grade: { value: 'silver' } } };
    const { id, entityIdentifier } = await api.service.entity(organisation, { metadataPolicy });
    const answer = await api.registrar.post(`/api/v1/entities/${id}/roles`, { roleId, dryRun: true });
    expect(refusalOf(answer)).toBe('409 policy_conflict /roleId');
    expect(answer.body).toMatchObject({ place: "the entity's own", operator: 'value', entity: entityIdentifier });
  });

  it('F02 removing an org role lists every app that held it; If-Match is needed', async () => {
    const { roleId, at, answer } = await assigned();
    const { id, entityIdentifier } = await api.service.entity(organisation);
    await api.registrar.post(`/api/v1/entities/${id}/roles`, { roleId });
    const reason = 'licence lost';
    expect(refusalOf(await api.registrar.post(`${at}/remove`, { reason }))).toBe('428 version_required');
    const stale = await api.registrar.post(`${at}/remove`, { reason }, { 'if-match': '"9"' });
    expect(refusalOf(stale)).toBe('412 version_mismatch');
    const tried = await api.registrar.post(`${at}/remove`, { reason, dryRun: true }, { 'if-match': answer.etag });
    const removed = await api.registrar.post(`${at}/remove`, { reason }, { 'if-match': answer.etag });
    expect(removed.body).toMatchObject({
      state: 'removed',
      affected: [{ entityId: id, entityIdentifier, name: null, state: 'active' }],
      affectedTotal: 1,
    });
    expect(tried.body.affected).toEqual(removed.body.affected);
    const [role] = (await api.auditor.get(`/api/v1/entities/${id}/roles`)).body.items;
    expect(role).toMatchObject({ state: 'locked', stateReason: reason });
  });

  it('F02 of another organisation, or out of reach, are 404', async () => {
    const { at } = await assigned();
    const other = await api.service.organisation(authority);
    const elsewhere = await api.client(['admin'], [await api.service.authority()]);
    expect(refusalOf(await api.auditor.get(at.replace(organisation.id, other.id)))).toBe('404 not_found');
    expect(refusalOf(await elsewhere.get(at))).toBe('404 not_found');
    expect(refusalOf(await elsewhere.post(`${at}/remove`, { reason: 'x' }, { 'if-match': '*' }))).toBe('404 not_found');
    const { id } = await api.service.entity(organisation);
    expect(refusalOf(await elsewhere.get(`/api/v1/entities/${id}/roles`))).toBe('404 not_found');
    const auditors = await api.auditor.post(`/api/v1/entities/${id}/roles`, { roleId: NO_SUCH_ID });
    expect(refusalOf(auditors)).toBe('403 role_missing');
    expect(refusalOf(await api.registrar.post(`/api/v1/entities/${id}/roles`, { roleId: NO_SUCH_ID }))).toBe(
      '404 not_found',
    );
  });
});
