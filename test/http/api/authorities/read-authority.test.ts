import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

describe('200', () => {
  it('shows the authority to every role, with its version as ETag', async () => {
    const authority = await api.service.authority();
    for (const client of [api.admin, api.registrar, api.approver, api.auditor]) {
      const { status, body, etag } = await client.get(`/api/v1/authorities/${authority.id}`);
      expect([status, etag, body.entityIdentifier]).toEqual([200, '"1"', authority.entityIdentifier]);
    }
  });
});

describe('404', () => {
  it.each([NO_SUCH_ID, 'x', NO_SUCH_ID.toUpperCase().replace('B', 'b')])('knows no authority %s', async (id) => {
    expect(refusalOf(await api.admin.get(`/api/v1/authorities/${id}`))).toBe('404 not_found');
  });
});
