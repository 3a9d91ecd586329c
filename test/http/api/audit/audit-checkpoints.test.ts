import { afterAll, describe, expect, it } from 'vitest';
import { parseAuditCheckpoint } from '../../../../src/federation/audit-checkpoint.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/audit/checkpoints';
const { service } = api;
const [ours, theirs] = [await service.authority(), await service.authority()];

describe('POST', () => {
  it('201: signs what the audit is, the same while nothing happens', async () => {
    const made = await api.auditor.post(PATH, { authorityId: ours.id });
    expect(made.status).toBe(201);
    const { body: list } = await api.admin.get('/api/v1/audit?limit=500');
    const last = list.items.at(-1);
    expect(made.body).toMatchObject({ authorityId: ours.id, seq: last.seq, hash: last.hash, rows: list.items.length });
    const { claims } = parseAuditCheckpoint(made.body.jwt, {});
    expect(claims).toMatchObject({ iss: ours.entityIdentifier, seq: last.seq, hash: last.hash });
    expect((await api.admin.post(PATH, { authorityId: ours.id })).body).toEqual(made.body);
  });

  it('400: names no authority, or something else', async () => {
    expect(refusalOf(await api.admin.post(PATH, {}))).toBe('400 validation_failed /authorityId');
    expect((await api.admin.post(PATH, { authorityId: ours.id, seq: 1 })).status).toBe(400);
  });

  it('403: the role is missing', async () => {
    expect(refusalOf(await api.approver.post(PATH, { authorityId: ours.id }))).toBe('403 role_missing');
  });

  it('404: an authority that is none, or out of reach', async () => {
    expect(refusalOf(await api.admin.post(PATH, { authorityId: NO_SUCH_ID }))).toBe('404 not_found');
    const scoped = await api.client(['admin'], [theirs]);
    expect(refusalOf(await scoped.post(PATH, { authorityId: ours.id }))).toBe('404 not_found');
  });
});

describe('GET', () => {
  it('200: lists them, those of the authorities that the token reaches', async () => {
    await api.admin.post(PATH, { authorityId: theirs.id });
    const { body } = await api.auditor.get(PATH);
    const signers = body.items.map(({ authorityId }: { authorityId: string }) => authorityId);
    expect(signers).toEqual(expect.arrayContaining([ours.id, theirs.id]));
    const scoped = await api.client(['auditor'], [theirs]);
    expect((await scoped.get(PATH)).body.items).toMatchObject([{ authorityId: theirs.id }]);
    expect((await api.auditor.get(`${PATH}?authorityId=${theirs.id}`)).body.items).toHaveLength(1);
    const first = await api.auditor.get(`${PATH}?limit=1`);
    const rest = await api.auditor.get(`${PATH}?limit=500&cursor=${first.body.next}`);
    expect([...first.body.items, ...rest.body.items]).toEqual(body.items);
  });

  it.each(['cursor=1', 'cursor=1.x', `cursor=x.${NO_SUCH_ID}`])('400: %s', async (query) => {
    expect(refusalOf(await api.auditor.get(`${PATH}?${query}`))).toBe('400 validation_failed /query/cursor');
  });

  it('403: the role is missing', async () => {
    expect(refusalOf(await api.registrar.get(PATH))).toBe('403 role_missing');
  });
});
