import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/organisations';
const { service } = api;
const [ours, theirs] = [await service.authority(), await service.authority()];
const pending = await service.organisation(ours, 'pending');
const active = await service.organisation(ours);
const foreign = await service.organisation(theirs);

const idsIn = async (query: string, client = api.auditor): Promise<string[]> =>
  (await client.get(`${PATH}${query}`)).body.items.map(({ id }: { id: string }) => id);

describe('200', () => {
  it('lists and filters', async () => {
    expect(await idsIn('')).toEqual([pending.id, active.id, foreign.id]);
    expect(await idsIn(`?authorityId=${ours.id}`)).toEqual([pending.id, active.id]);
    expect(await idsIn('?state=pending')).toEqual([pending.id]);
    expect(await idsIn(`?authorityId=${theirs.id}&state=suspended`)).toEqual([]);
  });

  it('shows a token of one authority what is under this one', async () => {
    expect(await idsIn('', await api.client(['auditor'], [theirs]))).toEqual([foreign.id]);
  });

  it('pages', async () => {
    const { body } = await api.auditor.get(`${PATH}?limit=1`);
    expect(body.items).toMatchObject([{ id: pending.id }]);
    expect(await idsIn(`?limit=1&cursor=${body.next}`)).toEqual([active.id]);
  });
});

describe('400', () => {
  it.each([
    ['authorityId=x', '/query/authorityId'],
    ['state=open', '/query/state'],
    ['q=bank', '/query/q'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(refusalOf(await api.auditor.get(`${PATH}?${query}`))).toBe(`400 validation_failed ${pointer}`);
  });
});
