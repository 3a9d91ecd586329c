import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/tokens';

describe('200', () => {
  it('pages through all tokens and shows no secret', async () => {
    const names: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.auditor.get(`${PATH}?limit=3${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      names.push(...body.items.map((token: { name: string }) => token.name));
      expect(JSON.stringify(body)).not.toContain('secret');
      cursor = body.next === undefined ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    expect(names).toEqual(['caller', 'caller', 'caller', 'caller']);
  });
});

describe('400', () => {
  it.each([
    ['limit=0', '/query/limit'],
    ['limit=501', '/query/limit'],
    ['limit=1e2', '/query/limit'],
    ['limit=', '/query/limit'],
    ['limit=1&limit=2', '/query/limit'],
    ['cursor=not%20ours', '/query/cursor'],
    ['cursor=bm90IG91cnM', '/query/cursor'],
    ['page=2', '/query/page'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(refusalOf(await api.admin.get(`${PATH}?${query}`))).toBe(`400 validation_failed ${pointer}`);
  });
});

describe('403', () => {
  it('is for admins and auditors', async () => {
    for (const client of [api.registrar, api.approver]) {
      expect(refusalOf(await client.get(PATH))).toBe('403 role_missing');
    }
  });
});
