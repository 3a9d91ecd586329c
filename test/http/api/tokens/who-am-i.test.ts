import { afterAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/whoami';

describe('200', () => {
  it('shows name, roles and reach', async () => {
    const authority = await api.service.authority();
    const all = await api.auditor.get(PATH);
    expect(all.body).toMatchObject({ kind: 'token', name: 'caller', roles: ['auditor'], authorityIds: null });
    const scoped = await (await api.client(['registrar', 'approver'], [authority])).get(PATH);
    expect(scoped.body).toMatchObject({ roles: ['registrar', 'approver'], authorityIds: [authority.id] });
  });

  it('answers HEAD without a body', async () => {
    const response = await api.service.fetch(`http://localhost:8080${PATH}`, {
      method: 'HEAD',
      headers: await api.service.bearer(['auditor']),
    });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('401', () => {
  it('says the same whatever is wrong with the token', async () => {
    const expired = await api.service.bearer(['admin']);
    api.service.clock.advance(86_401);
    const fields = [
      {},
      { authorization: 'Bearer' },
      { authorization: 'Basic YWRtaW46YWRtaW4=' },
      { authorization: `Bearer ${'a'.repeat(513)}` },
      { authorization: 'Bearer holdfast_unknown' },
      { authorization: 'Bearer two words' },
      expired,
    ];
    const answers = await Promise.all(
      fields.map((field) => new ApiClient(api.service.app, field).get(PATH, { 'x-request-id': 'same' })),
    );
    for (const { status, body, headers } of answers) {
      expect([status, headers.get('www-authenticate'), body]).toEqual([
        401,
        'Bearer realm="holdfast"',
        {
          type: '/docs#problem-unauthenticated',
          title: 'Authentication required',
          status: 401,
          detail: 'send a valid API token: Authorization: Bearer <token>',
          code: 'unauthenticated',
          requestId: 'same',
        },
      ]);
    }
    api.service.clock.advance(-86_401);
  });
});
