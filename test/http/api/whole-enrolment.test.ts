import { afterAll, describe, expect, it } from 'vitest';
import { CHALLENGE_PATH } from '../../../src/enrolment/domain-challenge.ts';
import { claimsOf } from '../../support/answers.ts';
import { ApiClient, refusalOf } from '../../support/api-client.ts';
import { startApi } from '../../support/api-service.ts';
import { outcomes, stepOf } from '../../support/enrolment-flow.ts';
import { serveFederation } from '../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const otherApprover = await api.client(['approver']);

const TERMS = { version: '2027-1', uri: 'https://terms.example/2027-1' };

const FLOW = [
  { step: 'identity', registration: true },
  { step: 'domain' },
  { step: 'keys' },
  { step: 'configuration' },
  { step: 'metadata_policy' },
  { step: 'roles' },
  { step: 'contacts', types: ['incident', 'technical'] },
  { step: 'terms', ...TERMS },
  { step: 'approvals' },
];

/** What the role makes of its holders' metadata. */
const ROLE_POLICY = {
  openid_relying_party: {
    grant_types: { subset_of: ['authorization_code'] },
    token_endpoint_auth_method: { value: 'private_key_jwt' },
    scope: { superset_of: ['openid', 'payments'] },
  },
};

const fetchStatus = async (sub: string) => (await service.ask(authority, 'fetch', { sub })).status;

/** Answers with the metadata of the Relying Party, or with the error code of the refusal. */
async function resolved(sub: string): Promise<unknown> {
  const response = await service.ask(authority, 'resolve', { sub, trust_anchor: authority.entityIdentifier });
  const text = await response.text();
  if (response.status !== 200) return JSON.parse(text).error;
  return (claimsOf(text)['metadata'] as Record<string, object>)['openid_relying_party'];
}

describe('a whole enrolment by a partner through the API', () => {
  it('F01 F02 F03 F04 F06 F08 proves domain and keys, mends what failed, is approved by four eyes and shaped by its role, is previewed, suspended, reinstated and withdrawn', async () => {
    // The authority says what everybody goes through, and what a role means.
    const { etag } = await api.admin.get(`/api/v1/authorities/${authority.id}`);
    const settled = { enrolmentFlow: FLOW };
    expect((await api.admin.patch(`/api/v1/authorities/${authority.id}`, settled, { 'if-match': etag })).status).toBe(
      200,
    );
    const domain = await api.admin.post('/api/v1/authorisation-domains', {
      authorityId: authority.id,
      name: 'Open Banking',
    });
    const role = await api.admin.post('/api/v1/roles', {
      ...{ domainId: domain.body.id, name: 'PISP', entityType: 'openid_relying_party', approvals: 2 },
      ...{ scopes: ['openid', 'payments'], metadataPolicy: ROLE_POLICY },
    });
    expect(role.status).toBe(201);

    // A registrar records the organisation and its role; an approver lets it in; it gets a token of its own.
    const added = await api.registrar.post('/api/v1/organisations', {
      ...{ authorityId: authority.id, legalName: 'Example Payments Ltd' },
      registration: { number: '05123456', register: 'Companies House', country: 'GB' },
      contacts: [
        { type: 'incident', email: 'incident@payments.example' },
        { type: 'technical', email: 'it@payments.example' },
      ],
    });
    const organisation = `/api/v1/organisations/${added.body.id}`;
    const admitted = await api.approver.post(
      `${organisation}/approve`,
      { reason: 'contract signed' },
      { 'if-match': added.etag },
    );
    expect(admitted.body).toMatchObject({ state: 'active', registration: { number: '05123456' } });
    const assigned = await api.registrar.post(`${organisation}/roles`, {
      roleId: role.body.id,
      registrationId: 'PSDGB-FCA-123456',
    });
    expect(assigned.body).toMatchObject({ role: 'PISP', state: 'active' });
    const token = await api.admin.post('/api/v1/tokens', {
      ...{ name: 'Pat Payments', roles: ['organisation-admin'], organisationIds: [added.body.id] },
    });
    const partner = new ApiClient(service.app, { authorization: `Bearer ${token.body.secret}` });

    // The partner publishes itself, with a mistake in it, and asks: what fails says what to mend.
    await using published = await serveFederation({
      rp: {
        superiors: [authority.entityIdentifier],
        metadata: (identifier) => ({
          openid_relying_party: {
            ...{ redirect_uris: [`${identifier}/callback`], client_registration_types: ['automatic'] },
            grant_types: ['authorization_code', 'client_credentials'],
            scope: 'openid',
          },
        }),
      },
    });
    const entityIdentifier = published.federation.id('rp');
    const asked = await partner.post('/api/v1/enrolments', {
      ...{ organisationId: added.body.id, entityIdentifier, roles: [role.body.id] },
      terms: { version: TERMS.version, acceptedBy: 'Pat Payments' },
    });
    expect([asked.status, asked.body.state, asked.body.entityId]).toEqual([201, 'checks_failed', null]);
    expect(outcomes(asked.body).filter((outcome) => outcome.includes(' failed '))).toEqual([
      'domain failed domain_unproven',
      'metadata_policy failed policy_value_not_allowed',
    ]);
    const enrolment = `/api/v1/enrolments/${asked.body.id}`;

    // It mends both, and has the steps run again.
    published.override(`${published.origin}${CHALLENGE_PATH}`, {
      ...{ status: 200, headers: { 'content-type': 'text/plain' } },
      body: `${asked.body.domainChallenge.challenge}\n`,
    });
    Object.assign(published.federation.entity('rp').metadata['openid_relying_party'] ?? {}, {
      scope: 'openid payments',
    });
    const mended = await partner.post(`${enrolment}/run`);
    expect(mended.body).toMatchObject({ state: 'pending_approval', approvalsNeeded: 2, approvals: [] });
    expect(outcomes(mended.body)).toEqual([
      ...['identity passed', 'domain passed', 'keys passed', 'configuration passed', 'metadata_policy passed'],
      ...['roles passed', 'contacts passed', 'terms passed', 'approvals waiting'],
    ]);
    expect(stepOf(mended.body, 'domain')).toMatchObject({
      ...{ attempts: 2, evidence: { domain: new URL(entityIdentifier).host, method: 'https' } },
    });
    const kid = published.federation.jwks('rp').keys[0]?.kid;
    expect(stepOf(mended.body, 'keys').evidence).toMatchObject({ signedBy: kid });

    // Not the one who submitted, not one approver twice, but two people approve it; until then nobody hears of it.
    const approve = (client: ApiClient) =>
      client.post(`${enrolment}/approve`, { reason: 'looked at every step' }, { 'if-match': mended.etag });
    expect(refusalOf(await approve(partner))).toBe('403 role_missing');
    for (const _ of ['once', 'again']) {
      const { body } = await approve(api.approver);
      expect([body.state, body.approvals.length, await fetchStatus(entityIdentifier)]).toEqual([
        ...['pending_approval', 1, 404],
      ]);
    }
    const approved = await approve(otherApprover);
    expect([approved.body.state, approved.body.approvals.length, await fetchStatus(entityIdentifier)]).toEqual([
      ...['approved', 2, 200],
    ]);
    const entity = `/api/v1/entities/${approved.body.entityId}`;

    // The policy of its role shapes what others get to see of it.
    expect(await resolved(entityIdentifier)).toMatchObject({
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      scope: 'openid payments',
    });

    // A preview of its organisation's suspension changes nothing, and tells exactly what then happens.
    const incident = { reason: 'incident 4711: key leaked', reasonCode: 'security_incident' };
    const seq = await service.seq();
    const preview = await api.approver.post(`${organisation}/suspend`, { ...incident, dryRun: true });
    expect([preview.status, preview.body.seq, await service.seq()]).toEqual([200, null, seq]);
    expect(await fetchStatus(entityIdentifier)).toBe(200);
    const suspended = await api.approver.post(`${organisation}/suspend`, incident);
    expect(suspended.body).toMatchObject({ state: 'suspended', affected: preview.body.affected });
    expect(suspended.body.affected.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining([`entity ${entityIdentifier}`, 'role_assignment PISP']),
    );
    expect((await partner.get(entity)).body).toMatchObject({ state: 'active', effectiveState: 'suspended' });
    expect([await fetchStatus(entityIdentifier), await resolved(entityIdentifier)]).toEqual([
      404,
      'invalid_trust_chain',
    ]);

    // Reinstated, it is as it was.
    const reinstated = await api.approver.post(`${organisation}/reinstate`, { reason: 'key replaced' });
    expect(reinstated.body.affected).toHaveLength(suspended.body.affected.length);
    expect((await partner.get(entity)).body).toMatchObject({ state: 'active', effectiveState: 'active' });
    expect(await fetchStatus(entityIdentifier)).toBe(200);
    expect(await resolved(entityIdentifier)).toMatchObject({ grant_types: ['authorization_code'] });

    // It leaves, for good.
    const gone = await api.approver.post(`${organisation}/withdraw`, {
      ...{ reason: 'the contract ended', reasonCode: 'own_request' },
    });
    expect(gone.body).toMatchObject({ state: 'withdrawn', allowedTransitions: [] });
    expect((await api.auditor.get(entity)).body).toMatchObject({ effectiveState: 'withdrawn' });
    expect([await fetchStatus(entityIdentifier), await resolved(entityIdentifier)]).toEqual([
      404,
      'invalid_trust_chain',
    ]);
    expect(refusalOf(await api.approver.post(`${organisation}/reinstate`, { reason: 'too late' }))).toBe(
      '409 illegal_transition',
    );
  });
});
