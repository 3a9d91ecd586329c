import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/authorities';

describe('200', () => {
  it('lists those that the token reaches, oldest first, in pages', async () => {
    const [first, second, third] = [
      await api.service.authority(),
      await api.service.authority(),
      await api.service.authority(),
    ];
    const page = await api.auditor.get(`${PATH}?limit=2`);
    expect(page.body.items.map(({ id }: { id: string }) => id)).toEqual([first.id, second.id]);
    const rest = await api.auditor.get(`${PATH}?limit=2&cursor=${page.body.next}`);
    expect([rest.body.items.map(({ id }: { id: string }) => id), rest.body.next]).toEqual([[third.id], undefined]);
    const scoped = await (await api.client(['auditor'], [second])).get(PATH);
    expect(scoped.body.items.map(({ id }: { id: string }) => id)).toEqual([second.id]);
  });

  it('keeps to itself where an authority is found inside', async () => {
    const { body } = await api.auditor.get(`${PATH}?limit=1`);
    expect(Object.keys(body.items[0])).not.toContain('location');
  });
});

describe('400', () => {
  it('refuses an unknown parameter', async () => {
    expect(refusalOf(await api.auditor.get(`${PATH}?name=x`))).toBe('400 validation_failed /query/name');
  });
});
