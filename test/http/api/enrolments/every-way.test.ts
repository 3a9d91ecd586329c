/** However an entity comes in: where its authority has a flow, nothing but its steps and approvals lets it in. */
import { afterAll, describe, expect, it } from 'vitest';
import { type Body, refusalOf } from '../../../support/api-client.ts';
import { API_OPERATIONS, requestOf } from '../../../support/api-requests.ts';
import { relyingParty, startApi } from '../../../support/api-service.ts';
import { keyProof } from '../../../support/enrolment.ts';
import { flowWith, outcomes, stepOf, submitted } from '../../../support/enrolment-flow.ts';
import { serveFederation } from '../../../support/federation-server.ts';
import { HOSTED_BASE_URL, METADATA } from '../../../support/hosting.ts';
import { testKey } from '../../../support/keys.ts';
import { freshIdentifier } from '../../../support/registry.ts';

const api = await startApi({ hostedBaseUrl: HOSTED_BASE_URL });
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;

const TERMS = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };
const authority = await service.authority({ enrolmentFlow: flowWith([TERMS]) });
const allRoles = await api.client(['admin', 'registrar', 'approver', 'auditor']);
const key = await testKey('ES256', 60);
const partner = await serveFederation({
  ...{ one: relyingParty(authority), two: relyingParty(authority), three: relyingParty(authority) },
});
afterAll(() => partner[Symbol.asyncDispose]());
const published = ['one', 'two', 'three'].map((name) => partner.federation.id(name));
let hosted = 0;

async function handedOver(): Promise<Body> {
  const entityIdentifier = freshIdentifier('silent');
  const asked = { authorityId: authority.id, entityIdentifier };
  const { challenge } = (await api.registrar.post('/api/v1/enrolment-challenges', asked)).body;
  const claims = { iss: entityIdentifier, aud: authority.entityIdentifier, nonce: challenge };
  const proof = { jwks: { keys: [key.jwk] }, challenge, keyProofs: [await keyProof(key, claims)] };
  return { entityIdentifier, entityTypes: ['openid_relying_party'], ...proof, outOfBandCheck: 'called them' };
}

const WAYS: Record<string, () => Promise<Body>> = {
  published: async () => ({ entityIdentifier: published.pop() }),
  hosted: async () => ({
    entityIdentifier: `${HOSTED_BASE_URL}/way-${++hosted}`,
    hosting: { metadata: METADATA },
  }),
  'handed over': handedOver,
};

const PROVEN_BY: Record<string, object> = {
  published: { provenBy: 'entity_configuration' },
  hosted: { provenBy: 'custody' },
  'handed over': { provenBy: 'signed_challenge', kids: [key.jwk.kid], outOfBandCheck: 'called them' },
};

async function add(way: string) {
  const organisation = await service.organisation(authority);
  const asked = { ...(await WAYS[way]?.()), organisationId: organisation.id };
  const { status, body } = await allRoles.post('/api/v1/entities', asked);
  expect([status, body.state]).toEqual([201, 'pending']);
  return {
    ...{ organisation, sub: body.entityIdentifier as string },
    entity: `/api/v1/entities/${body.id}`,
    entityId: body.id as string,
    enrolment: `/api/v1/enrolments/${body.enrolmentId}`,
  };
}

const fetchStatus = async (sub: string) => (await service.ask(authority, 'fetch', { sub })).status;
const approval = { reason: 'looked at it' };

describe.each(Object.keys(WAYS))('F04 an entity that is %s', (way) => {
  it('F04 is let in by the steps of the flow and by somebody else', async () => {
    const added = await add(way);
    const seen = await api.auditor.get(added.enrolment);
    expect(seen.body).toMatchObject({ state: 'checks_failed', entityId: added.entityId });
    expect(outcomes(seen.body)).toEqual([
      ...['identity passed', 'keys passed', 'configuration passed', 'metadata_policy passed'],
      ...['terms failed terms_not_accepted', 'approvals waiting'],
    ]);
    expect(stepOf(seen.body, 'keys').evidence).toMatchObject(PROVEN_BY[way] ?? {});
    const { etag } = await api.auditor.get(added.entity);
    const short = await api.approver.post(`${added.entity}/approve`, approval, { 'if-match': etag });
    expect([refusalOf(short), short.body.enrolment]).toEqual(['409 enrolment_required', seen.body.id]);
    const early = await api.approver.post(`${added.enrolment}/approve`, approval, { 'if-match': seen.etag });
    expect(refusalOf(early)).toBe('409 illegal_transition');
    const terms = { version: TERMS.version, acceptedBy: 'Jo Doe' };
    await api.registrar.post(`/api/v1/organisations/${added.organisation.id}/terms`, terms);
    const ready = await api.registrar.post(`${added.enrolment}/run`);
    expect(ready.body.state).toBe('pending_approval');
    const own = await allRoles.post(`${added.enrolment}/approve`, approval, { 'if-match': ready.etag });
    expect(refusalOf(own)).toBe('403 four_eyes');
    expect(await fetchStatus(added.sub)).toBe(404);
    const approved = await api.approver.post(`${added.enrolment}/approve`, approval, { 'if-match': ready.etag });
    expect(approved.body.state).toBe('approved');
    expect(await fetchStatus(added.sub)).toBe(200);
  });

  it('F04 is rejected with its enrolment, not beside it', async () => {
    const { entity, enrolment, sub } = await add(way);
    const beside = await api.approver.post(`${entity}/reject`, approval);
    expect([refusalOf(beside), beside.body.enrolment]).toEqual(['409 enrolment_required', enrolment.split('/').at(-1)]);
    const { etag } = await api.approver.get(enrolment);
    const rejected = await api.approver.post(`${enrolment}/reject`, approval, { 'if-match': etag });
    expect([rejected.body.state, (await api.auditor.get(entity)).body.state]).toEqual(['rejected', 'rejected']);
    expect(await fetchStatus(sub)).toBe(404);
  });

  it('F04 is let in by no other operation', async () => {
    const { entity, entityId, sub, enrolment, organisation } = await add(way);
    const tried: string[] = [];
    const open = API_OPERATIONS.filter(
      ({ method, path }) => method !== 'GET' && /\{(entityId|enrolmentId)\}/.test(path),
    );
    const ids = { entityId, enrolmentId: enrolment.split('/').at(-1) ?? '', step: 'keys', ownerId: organisation.id };
    for (const operation of open.filter(({ path }) => !/\{(?!entityId|enrolmentId|step)/.test(path))) {
      // They end it; they are tried last.
      if (/^(reject|cancel|withdraw|revoke)|^stopHosting$/.test(operation.operationId)) continue;
      const { etag } = await allRoles.get(operation.path.includes('{entityId}') ? entity : enrolment);
      const { method, path, body } = requestOf(operation, { ...ids, roleId: entityId });
      await allRoles.send(method, path, { body, headers: { 'if-match': etag } });
      tried.push(operation.operationId);
      expect([operation.operationId, (await allRoles.get(entity)).body.state]).toEqual([tried.at(-1), 'pending']);
    }
    expect(tried).toEqual(expect.arrayContaining(['approveEntity', 'reinstateEntity', 'uploadConfiguration']));
    await allRoles.post(`${enrolment}/cancel`, { reason: 'x' });
    const { etag } = await allRoles.get(entity);
    for (const verb of ['approve', 'reinstate']) {
      const answer = await allRoles.post(`${entity}/${verb}`, approval, { 'if-match': etag });
      expect(refusalOf(answer)).toBe('409 illegal_transition');
    }
    expect(await fetchStatus(sub)).toBe(404);
  });
});

it('F04 whoever changed what a hosted entity declares does not approve it', async () => {
  const { entity, enrolment, organisation } = await add('hosted');
  const changer = await api.client(['registrar', 'approver']);
  const { etag } = await changer.get(entity);
  const metadata = { openid_relying_party: { ...METADATA.openid_relying_party, client_name: 'Another' } };
  const changed = await changer.patch(`${entity}/hosting`, { metadata }, { 'if-match': etag });
  expect([changed.status, changed.body]).toEqual([200, expect.anything()]);
  const terms = { version: TERMS.version, acceptedBy: 'Jo Doe' };
  await api.registrar.post(`/api/v1/organisations/${organisation.id}/terms`, terms);
  const ready = await api.registrar.post(`${enrolment}/run`);
  const own = await changer.post(`${enrolment}/approve`, approval, { 'if-match': ready.etag });
  expect(refusalOf(own)).toBe('403 four_eyes');
  const approved = await api.approver.post(`${enrolment}/approve`, approval, { 'if-match': ready.etag });
  expect(approved.body.state).toBe('approved');
});

describe('F04 what is handed over', () => {
  it('F04 is judged by the policy, and by the roles that its record is given', async () => {
    const strict = {
      defaultMetadataPolicy: { openid_relying_party: { contacts: { essential: true } } },
      enrolmentFlow: flowWith([{ step: 'roles' }]),
    };
    const own = await service.authority(strict);
    const { id: organisationId } = await service.organisation(own);
    const asked = { authorityId: own.id, entityIdentifier: freshIdentifier('silent') };
    const { challenge } = (await api.registrar.post('/api/v1/enrolment-challenges', asked)).body;
    const claims = { iss: asked.entityIdentifier, aud: own.entityIdentifier, nonce: challenge };
    const { entityIdentifier } = asked;
    const proof = { jwks: { keys: [key.jwk] }, challenge, keyProofs: [await keyProof(key, claims)] };
    const added = await api.registrar.post('/api/v1/entities', {
      ...{ organisationId, entityIdentifier, ...proof, outOfBandCheck: 'called them' },
    });
    const enrolment = `/api/v1/enrolments/${added.body.enrolmentId}`;
    const first = await api.auditor.get(enrolment);
    expect(outcomes(first.body)).toContain('configuration failed metadata_invalid');
    const entity = `/api/v1/entities/${added.body.id}`;
    const settle = async (metadata: object) => {
      const { etag } = await api.registrar.get(entity);
      await api.registrar.patch(entity, { metadata }, { 'if-match': etag });
      return (await api.registrar.post(`${enrolment}/run`)).body;
    };
    expect(outcomes(await settle({ openid_relying_party: { client_name: 'Desk' } }))).toContain(
      'metadata_policy failed policy_essential_missing',
    );
    const mended = await settle({ openid_relying_party: { contacts: ['ops@partner.example'] } });
    expect(mended.state).toBe('pending_approval');
    expect(stepOf(mended, 'configuration').evidence).toMatchObject({ entityTypes: ['openid_relying_party'] });
    const domain = await api.admin.post('/api/v1/authorisation-domains', { authorityId: own.id, name: 'Payments' });
    const role = { domainId: domain.body.id, name: 'PISP', approvals: 2 };
    const { id: roleId } = (await api.admin.post('/api/v1/roles', role)).body;
    await api.registrar.post(`/api/v1/organisations/${organisationId}/roles`, { roleId });
    await api.admin.post(`${entity}/roles`, { roleId });
    const given = await api.registrar.post(`${enrolment}/run`);
    expect([given.body.approvalsNeeded, stepOf(given.body, 'roles').evidence.approvals]).toEqual([2, 2]);
  });
});

describe('F04 between the steps and the approval', () => {
  it.each([
    ['its name', { name: 'Trusted' }],
    ['what it is for', { mode: 'test', environment: 'sandbox' }],
  ])('F04 somebody changed %s: the new evidence is kept and nothing is approved', async (_what, change) => {
    const usual = await service.authority();
    await using enrolment = await submitted(api.registrar, usual, await service.organisation(usual));
    const { answer, path } = enrolment;
    const entity = `/api/v1/entities/${answer.body.entityId}`;
    const { etag } = await api.registrar.get(entity);
    expect((await api.registrar.patch(entity, change, { 'if-match': etag })).status).toBe(200);
    const refused = await api.approver.post(`${path}/approve`, approval, { 'if-match': answer.etag });
    expect(refusalOf(refused)).toBe('409 evidence_changed');
    const seen = await api.approver.get(path);
    expect(stepOf(seen.body, 'identity').evidence.entity).toMatchObject(change);
    const approved = await api.approver.post(`${path}/approve`, approval, { 'if-match': seen.etag });
    expect(approved.body.state).toBe('approved');
  });

  it('F04 the authority came to ask for other steps: approved is what went through those', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([TERMS], { count: 2 }) });
    const terms = { version: TERMS.version, acceptedBy: 'Jo Doe' };
    const organisation = await service.organisation(strict);
    await using enrolment = await submitted(api.registrar, strict, organisation, { terms });
    const { answer, path } = enrolment;
    expect(answer.body).toMatchObject({ state: 'pending_approval', flowChanged: false });
    await api.approver.post(`${path}/approve`, approval, { 'if-match': answer.etag });
    const changeFlow = async (enrolmentFlow: unknown) => {
      const at = `/api/v1/authorities/${strict.id}`;
      const { etag } = await api.admin.get(at);
      expect((await api.admin.patch(at, { enrolmentFlow }, { 'if-match': etag })).status).toBe(200);
    };
    const technical = { step: 'contacts' as const, types: ['technical' as const] };
    await changeFlow(flowWith([technical], { count: 2 }));
    const outdated = await api.approver.get(path);
    expect(outdated.body).toMatchObject({ state: 'pending_approval', flowChanged: true });
    const second = await api.client(['approver']);
    const refused = await second.post(`${path}/approve`, approval, { 'if-match': answer.etag });
    expect(refusalOf(refused)).toBe('409 flow_changed');
    const again = await api.registrar.post(`${path}/steps/keys/run`);
    expect(again.body).toMatchObject({ state: 'checks_failed', flowChanged: false, approvals: [] });
    expect(outcomes(again.body).slice(4)).toEqual(['contacts failed contact_missing', 'approvals waiting']);
    await changeFlow(flowWith([]));
    const { body, etag } = await api.registrar.post(`${path}/run`);
    expect(body).toMatchObject({ state: 'pending_approval', approvalsNeeded: 1 });
    const approved = await second.post(`${path}/approve`, approval, { 'if-match': etag });
    expect(approved.body.state).toBe('approved');
  });
});
