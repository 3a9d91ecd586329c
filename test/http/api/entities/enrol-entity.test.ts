import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, publishRelyingParty, startApi } from '../../../support/api-service.ts';
import { freshJwks } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/entities';
const { service } = api;
const authority = await service.authority();
const { id: organisationId } = await service.organisation(authority);
const partner = await publishRelyingParty(authority);
afterAll(() => partner[Symbol.asyncDispose]());

const outcomes = (body: { checks: { check: string; outcome: string; reason?: string }[] }): string[] =>
  body.checks.map(({ check, outcome, reason }) =>
    [check, outcome, ...(reason === undefined ? [] : [reason])].join(' '),
  );

describe('201', () => {
  it('fetches the configuration, checks it and records it as pending', async () => {
    const entityIdentifier = partner.federation.id('rp');
    const answer = await api.registrar.post(PATH, { organisationId, entityIdentifier });
    expect([answer.status, answer.headers.get('location'), answer.etag]).toEqual([
      201,
      `${PATH}/${answer.body.id}`,
      '"1"',
    ]);
    expect(answer.body).toMatchObject({
      authorityId: authority.id,
      organisationId,
      previousId: null,
      entityIdentifier,
      enrolment: 'published',
      entityTypes: expect.arrayContaining(['openid_relying_party']),
      intermediate: false,
      state: 'pending',
      effectiveState: 'pending',
      allowedTransitions: ['approve', 'reject'],
      jwks: partner.federation.jwks('rp'),
      metadata: {},
      constraints: null,
      evidence: { url: partner.configurationUrl('rp'), digest: expect.any(String) },
    });
    expect(outcomes(answer.body).filter((outcome) => !outcome.endsWith(' passed'))).toEqual([]);
    expect(answer.body.checks.length).toBeGreaterThan(3);
  });

  it('records what is wrong with a configuration', async () => {
    await using wrong = await publishRelyingParty({ entityIdentifier: 'https://somebody.else.example' });
    const { status, body } = await api.registrar.post(PATH, {
      organisationId,
      entityIdentifier: wrong.federation.id('rp'),
      entityTypes: ['openid_provider'],
    });
    expect([status, body.state]).toEqual([201, 'pending']);
    expect(outcomes(body)).toEqual(
      expect.arrayContaining([
        'configuration_valid passed',
        'authority_hint failed authority_hints_invalid',
        'entity_types failed metadata_invalid',
      ]),
    );
  });

  it('records that nothing could be fetched', async () => {
    await using gone = await publishRelyingParty(authority);
    gone.override(gone.configurationUrl('rp'), { status: 404 });
    const { status, body } = await api.registrar.post(PATH, {
      organisationId,
      entityIdentifier: gone.federation.id('rp'),
    });
    expect([status, body.jwks]).toEqual([201, { keys: [] }]);
    expect(outcomes(body)[0]).toBe('configuration_retrieved failed entity_not_found');
  });

  it('makes one record for one Idempotency-Key, and fetches no more for a repetition', async () => {
    await using once = await publishRelyingParty(authority);
    const input = { organisationId, entityIdentifier: once.federation.id('rp') };
    const key = { 'idempotency-key': 'enrol rp' };
    const atOnce = await Promise.all([1, 2].map(() => api.registrar.post(PATH, input, key)));
    const fetched = once.requests.length;
    const later = await api.registrar.post(PATH, input, key);
    expect([...atOnce, later].map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set([...atOnce, later].map(({ body }) => body.id)).size).toBe(1);
    expect(once.requests.length).toBe(fetched);
  });

  it('links a new record to the closed one of the same identifier', async () => {
    await using back = await publishRelyingParty(authority);
    const input = { organisationId, entityIdentifier: back.federation.id('rp') };
    const { body: first } = await api.registrar.post(PATH, input);
    await api.approver.post(`${PATH}/${first.id}/reject`, { reason: 'not yet' });
    const { status, body } = await api.registrar.post(PATH, input);
    expect([status, body.previousId]).toEqual([201, first.id]);
  });
});

describe('400', () => {
  it.each([
    ['https://rp.example#fragment'],
    ['https://user@rp.example'],
    ['https://rp.example?query'],
    ['http://rp.example'],
    ['rp.example'],
    ['https://rp.example/\u0000'],
  ])('refuses the Entity Identifier %j', async (entityIdentifier) => {
    const answer = await api.registrar.post(PATH, { organisationId, entityIdentifier });
    expect(refusalOf(answer)).toBe('400 validation_failed /entityIdentifier');
  });

  it.each([
    ['an unknown field', { entityId: 'x' }, '/entityId'],
    ['metadata with null', { metadata: { a: { b: null } } }, '/metadata/a/b'],
    [
      "an endpoint in somebody else's metadata",
      { metadata: { federation_entity: { federation_fetch_endpoint: 'https://x.example' } } },
      '/metadata/federation_entity/federation_fetch_endpoint',
    ],
    ['a NUL in metadata', { metadata: { a: { b: 'x\0' } } }, '/metadata/a/b'],
    ['a NUL in the name of a parameter', { metadata: { a: { 'b\0': 1 } } }, '/metadata/a'],
    ['half a character in metadata', { metadata: { a: { b: ['\ud800'] } } }, '/metadata/a/b/0'],
    ['a malformed policy', { metadataPolicy: { a: 1 } }, '/metadataPolicy/a'],
    ['a claim of the statement itself', { additionalClaims: { sub: 'https://x.example' } }, '/additionalClaims/sub'],
    ['crit that names no claim', { crit: ['sector'] }, '/crit/0'],
    ['crit that nobody here understands', { additionalClaims: { sector: 1 }, crit: ['sector'] }, '/crit/0'],
    ['a lifetime of a year', { statementLifetimeSeconds: 31_536_000 }, '/statementLifetimeSeconds'],
    ['a number beyond all bounds', { constraints: 'PLACEHOLDER' }, '/constraints/max_path_length'],
  ])('refuses %s', async (_what, part, pointer) => {
    const body = { organisationId, entityIdentifier: 'https://fields.example', ...part };
    const text = JSON.stringify(body).replace('"PLACEHOLDER"', '{"max_path_length":1e999}');
    expect(refusalOf(await api.registrar.send('POST', PATH, { text }))).toBe(`400 validation_failed ${pointer}`);
  });

  it('wants all parts of a hand-over or none', async () => {
    const jwks = await freshJwks();
    const answer = await api.registrar.post(PATH, { organisationId, entityIdentifier: 'https://x.example', jwks });
    expect(refusalOf(answer)).toBe('400 validation_failed /challenge /keyProofs /outOfBandCheck');
  });
});

describe('403', () => {
  it('is for admins and registrars', async () => {
    for (const client of [api.approver, api.auditor]) {
      const answer = await client.post(PATH, { organisationId, entityIdentifier: 'https://x.example' });
      expect(refusalOf(answer)).toBe('403 role_missing');
    }
  });
});

describe('404', () => {
  it('knows no such organisation', async () => {
    const input = { organisationId: NO_SUCH_ID, entityIdentifier: 'https://x.example' };
    expect(refusalOf(await api.registrar.post(PATH, input))).toBe('404 not_found');
  });
});

describe('409', () => {
  it('refuses the same entity twice, one after the other and at once', async () => {
    await using twice = await publishRelyingParty(authority);
    const input = { organisationId, entityIdentifier: twice.federation.id('rp') };
    const atOnce = await Promise.all([1, 2].map(() => api.registrar.post(PATH, input)));
    expect(atOnce.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(refusalOf(await api.registrar.post(PATH, input))).toBe('409 entity_exists');
  });
});

describe('422', () => {
  it('refuses an Idempotency-Key that came with another request', async () => {
    await using other = await publishRelyingParty(authority);
    const key = { 'idempotency-key': 'spent' };
    const input = { organisationId, entityIdentifier: other.federation.id('rp') };
    await api.registrar.post(PATH, input, key);
    const answer = await api.registrar.post(PATH, { ...input, entityTypes: ['openid_provider'] }, key);
    expect(refusalOf(answer)).toBe('422 idempotency_key_reused');
  });
});
