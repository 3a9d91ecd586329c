import { afterAll, describe, expect, it } from 'vitest';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const newToken = async () => (await api.admin.post('/api/v1/tokens', { name: 'short', roles: ['auditor'] })).body;

describe('200', () => {
  it('stops the token at once; to repeat it changes nothing', async () => {
    const { id, secret } = await newToken();
    const holder = new ApiClient(api.service.app, { authorization: `Bearer ${secret}` });
    expect((await holder.get('/api/v1/whoami')).status).toBe(200);
    const revoked = await api.admin.delete(`/api/v1/tokens/${id}`);
    expect([revoked.status, revoked.body.revokedAt]).toEqual([200, '2027-01-15T08:00:00.000Z']);
    expect((await holder.get('/api/v1/whoami')).status).toBe(401);
    const seq = await api.service.seq();
    expect((await api.admin.delete(`/api/v1/tokens/${id}`)).body).toEqual(revoked.body);
    expect(await api.service.seq()).toBe(seq);
  });
});

describe('403', () => {
  it('is for admins only', async () => {
    expect(refusalOf(await api.auditor.delete(`/api/v1/tokens/${(await newToken()).id}`))).toBe('403 role_missing');
  });
});

describe('404', () => {
  it.each([NO_SUCH_ID, 'not-an-id', '%00', `${NO_SUCH_ID}x`])('knows no token %s', async (id) => {
    expect(refusalOf(await api.admin.delete(`/api/v1/tokens/${id}`))).toBe('404 not_found');
  });
});
