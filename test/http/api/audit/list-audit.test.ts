import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/audit';
const { service } = api;
const [ours, theirs] = [await service.authority(), await service.authority()];
const organisation = await service.organisation(ours, 'pending');
await service.organisation(theirs);
await api.approver.post(
  `/api/v1/organisations/${organisation.id}/approve`,
  { reason: 'contract signed' },
  { 'if-match': '"1"', 'x-request-id': 'request-of-approval' },
);

describe('200', () => {
  it('[F52] tells who changed what, why and in which request', async () => {
    const { body } = await api.auditor.get(`${PATH}?subjectKind=organisation&subjectId=${organisation.id}`);
    expect(body.items).toMatchObject([
      { action: 'organisation.add', reason: null, before: null, after: { state: 'pending' } },
      {
        seq: await service.seq(),
        ordinal: 0,
        action: 'organisation.approve',
        actor: { kind: 'token', name: 'caller' },
        authorityId: ours.id,
        subjectKind: 'organisation',
        before: { state: 'pending' },
        after: { state: 'active' },
        reason: 'contract signed',
        requestId: 'request-of-approval',
      },
    ]);
  });

  it('pages without a gap', async () => {
    const places: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await api.admin.get(`${PATH}?limit=2${cursor && `&cursor=${cursor}`}`);
      places.push(...body.items.map((row: { seq: number; ordinal: number }) => `${row.seq}.${row.ordinal}`));
      cursor = body.next;
    }
    expect(places).toEqual((await service.auditAfter()).map(({ seq, ordinal }) => `${seq}.${ordinal}`));
  });

  it('shows a token of one authority what happened in this one', async () => {
    const scoped = await api.client(['auditor'], [theirs]);
    const { body } = await scoped.get(PATH);
    expect(new Set(body.items.map(({ authorityId }: { authorityId: string }) => authorityId))).toEqual(
      new Set([theirs.id]),
    );
  });
});

describe('400', () => {
  it.each([
    ['subjectKind=%27or%201', '/query/subjectKind'],
    ['cursor=1', '/query/cursor'],
    ['from=2020', '/query/from'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(refusalOf(await api.auditor.get(`${PATH}?${query}`))).toBe(`400 validation_failed ${pointer}`);
  });
});

describe('403', () => {
  it('is for admins and auditors', async () => {
    for (const client of [api.registrar, api.approver])
      expect(refusalOf(await client.get(PATH))).toBe('403 role_missing');
  });
});

describe('404', () => {
  it('knows no authority out of reach', async () => {
    const scoped = await api.client(['auditor'], [theirs]);
    for (const id of [ours.id, NO_SUCH_ID]) {
      expect(refusalOf(await scoped.get(`${PATH}?authorityId=${id}`))).toBe('404 not_found');
    }
  });
});
