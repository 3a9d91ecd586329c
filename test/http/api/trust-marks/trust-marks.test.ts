import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { freshIdentifier } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const TYPES = '/api/v1/trust-mark-types';
const MARKS = '/api/v1/trust-marks';
const { id: authorityId } = await api.service.authority();

const newType = (settings: object = {}) => {
  const trustMarkType = `${freshIdentifier('marks')}/member`;
  return { authorityId, trustMarkType, name: 'Member', ...settings };
};

async function defined(settings: object = {}): Promise<{ id: string; trustMarkType: string }> {
  return (await api.admin.post(TYPES, newType(settings))).body;
}

describe('POST /trust-mark-types', () => {
  it('201: defines a type; an Idempotency-Key makes it once', async () => {
    const input = newType({ lifetimeSeconds: null, eligibility: { entityTypes: ['openid_provider'] } });
    const key = { 'idempotency-key': 'define' };
    const { status, headers, etag, body } = await api.admin.post(TYPES, input, key);
    expect([status, headers.get('location'), etag]).toEqual([201, `${TYPES}/${body.id}`, '"1"']);
    expect(body).toMatchObject({ ...input, state: 'active', approval: 'manual', ownership: null });
    expect((await api.admin.post(TYPES, input, key)).body).toEqual(body);
    expect((await api.auditor.get(`${TYPES}/${body.id}`)).body).toEqual(body);
    const found = await api.auditor.get(`${TYPES}?trustMarkType=${encodeURIComponent(input.trustMarkType)}`);
    expect(found.body.items).toEqual([body]);
  });

  it.each([
    ['400 validation_failed /trustMarkType', { trustMarkType: 'member' }],
    ['400 validation_failed /lifetimeSeconds', { lifetimeSeconds: 1 }],
    ['400 validation_failed /additionalClaims/sub', { additionalClaims: { sub: 'x' } }],
    ['400 validation_failed /ownership/delegation', { ownership: { owner: 'https://o.example' } }],
    ['404 not_found', { authorityId: NO_SUCH_ID }],
  ])('%s', async (expected, settings) => {
    expect(refusalOf(await api.admin.post(TYPES, newType(settings)))).toContain(expected.split(' /ownership')[0]);
  });

  it('403: is for admins; 409: a type once', async () => {
    for (const client of [api.registrar, api.approver, api.auditor]) {
      expect(refusalOf(await client.post(TYPES, newType()))).toBe('403 role_missing');
    }
    const input = newType();
    await api.admin.post(TYPES, input);
    expect(refusalOf(await api.admin.post(TYPES, input))).toBe('409 trust_mark_type_exists');
  });

  it('changes with If-Match, and is retired and reinstated with a reason', async () => {
    const { id } = await defined();
    const path = `${TYPES}/${id}`;
    expect(refusalOf(await api.admin.patch(path, { name: 'New' }))).toBe('428 version_required');
    const changed = await api.admin.patch(path, { name: 'New' }, { 'if-match': '"1"' });
    expect([changed.status, changed.etag, changed.body.name]).toEqual([200, '"2"', 'New']);
    expect((await api.admin.post(`${path}/retire`, { reason: 'replaced' })).body.state).toBe('retired');
    expect(refusalOf(await api.registrar.post(MARKS, { typeId: id, subject: freshIdentifier('b') }))).toBe(
      '409 trust_mark_type_retired',
    );
    expect((await api.admin.post(`${path}/reinstate`, { reason: 'again' })).body.state).toBe('active');
  });
});

describe('trust-marks', () => {
  it('201: a registrar grants, an approver withdraws with a reason', async () => {
    const { id: typeId, trustMarkType } = await defined();
    const input = { typeId, subject: freshIdentifier('bearer'), expiresAt: '2030-01-01T00:00:00.000Z' };
    const { status, headers, body, etag } = await api.registrar.post(MARKS, input);
    expect([status, headers.get('location')]).toEqual([201, `${MARKS}/${body.id}`]);
    expect(body).toMatchObject({ ...input, trustMarkType, state: 'active', allowedTransitions: ['withdraw'] });
    const path = `${MARKS}/${body.id}`;
    expect(refusalOf(await api.registrar.post(MARKS, input))).toBe('409 trust_mark_exists');
    const renewed = await api.registrar.patch(path, { expiresAt: null }, { 'if-match': etag });
    expect([renewed.status, renewed.body.expiresAt]).toEqual([200, null]);
    expect(refusalOf(await api.registrar.post(`${path}/withdraw`, { reason: 'x' }))).toBe('403 role_missing');
    expect(refusalOf(await api.approver.post(`${path}/withdraw`, {}))).toBe('400 validation_failed /reason');
    const withdrawn = await api.approver.post(`${path}/withdraw`, { reason: 'audit failed' });
    expect(withdrawn.body).toMatchObject({ state: 'withdrawn', stateReason: 'audit failed', allowedTransitions: [] });
    expect((await api.auditor.get(path)).body).toEqual(withdrawn.body);
    expect(refusalOf(await api.approver.post(`${path}/withdraw`, { reason: 'x' }))).toBe('409 illegal_transition');
  });

  it('200: what was asked for is listed as pending, and approved or rejected', async () => {
    const { id: typeId } = await defined();
    const asked = async () =>
      (await api.registrar.post('/api/v1/trust-mark-requests', { typeId, subject: freshIdentifier('bearer') })).body;
    const [one, two] = [await asked(), await asked()];
    const list = async () => (await api.auditor.get(`${MARKS}?typeId=${typeId}&state=pending`)).body.items;
    expect(await list()).toEqual([one, two]);
    expect((await api.approver.post(`${MARKS}/${one.id}/approve`, { reason: 'fine' })).body.state).toBe('active');
    expect((await api.approver.post(`${MARKS}/${two.id}/reject`, { reason: 'no' })).body.state).toBe('rejected');
    expect(await list()).toEqual([]);
  });

  it('409: tells which rules are not met', async () => {
    const { id: typeId } = await defined({ eligibility: { entityTypes: ['openid_provider'] } });
    const answer = await api.registrar.post(MARKS, { typeId, subject: freshIdentifier('bearer') });
    expect([refusalOf(answer), answer.body.unmet]).toEqual(['409 not_eligible', [expect.stringContaining('enrolled')]]);
  });

  it('404: shows nothing of authorities out of reach', async () => {
    const other = await api.service.authority();
    const type = await api.service.trustMarkType(other);
    const mark = await api.service.trustMark(type);
    const here = await api.service.authority();
    const client = await api.client(['admin', 'registrar', 'approver'], [here]);
    for (const path of [`${TYPES}/${type.id}`, `${MARKS}/${mark.id}`, `${TYPES}?authorityId=${other.id}`]) {
      expect(refusalOf(await client.get(path))).toBe('404 not_found');
    }
    expect((await client.get(MARKS)).body.items).toEqual([]);
    expect(refusalOf(await client.post(MARKS, { typeId: type.id, subject: 'https://x.example' }))).toBe(
      '404 not_found',
    );
    expect(refusalOf(await client.post(`${MARKS}/${mark.id}/withdraw`, { reason: 'x' }))).toBe('404 not_found');
  });
});
