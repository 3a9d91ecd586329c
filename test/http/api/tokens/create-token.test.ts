import { afterAll, describe, expect, it } from 'vitest';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { NOW } from '../../../support/federation.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/tokens';

describe('201', () => {
  it('gives a secret that works from then on', async () => {
    const authority = await api.service.authority();
    const input = { name: 'new registrar', roles: ['registrar'], authorityIds: [authority.id], expiresInDays: 7 };
    const { status, body } = await api.admin.post(PATH, input);
    expect([status, body.roles, body.authorityIds]).toEqual([201, ['registrar'], [authority.id]]);
    expect(body.secret).toMatch(/^holdfast_[A-Za-z0-9_-]{43}$/);
    const client = new ApiClient(api.service.app, { authorization: `Bearer ${body.secret}` });
    expect((await client.get('/api/v1/whoami')).body).toMatchObject({ id: body.id, name: 'new registrar' });
  });

  it('reaches all authorities for 90 days unless told otherwise', async () => {
    const { body } = await api.admin.post(PATH, { name: 'broad', roles: ['auditor'] });
    const expiresAt = new Date((NOW + 90 * 86_400) * 1000).toISOString();
    expect([body.authorityIds, body.expiresAt]).toEqual([null, expiresAt]);
  });
});

describe('400', () => {
  it.each([
    ['no roles', { name: 'x', roles: [] }, '/roles'],
    ['an unknown role', { name: 'x', roles: ['root'] }, '/roles/0'],
    ['no name', { roles: ['admin'] }, '/name'],
    ['a blank name', { name: '  ', roles: ['admin'] }, '/name'],
    ['a name of two lines', { name: 'a\nb', roles: ['admin'] }, '/name'],
    ['a life without end', { name: 'x', roles: ['admin'], expiresInDays: 367 }, '/expiresInDays'],
    ['no life at all', { name: 'x', roles: ['admin'], expiresInDays: 0 }, '/expiresInDays'],
    ['an authority that is no id', { name: 'x', roles: ['admin'], authorityIds: ['all'] }, '/authorityIds/0'],
    [
      'an authority that does not exist',
      { name: 'x', roles: ['admin'], authorityIds: [NO_SUCH_ID] },
      '/authorityIds/0',
    ],
    ['a secret of the caller', { name: 'x', roles: ['admin'], secret: 'mine' }, '/secret'],
  ])('refuses %s', async (_what, input, pointer) => {
    expect(refusalOf(await api.admin.post(PATH, input))).toBe(`400 validation_failed ${pointer}`);
  });

  it('does not pretend to know an Idempotency-Key', async () => {
    const answer = await api.admin.post(PATH, { name: 'x', roles: ['admin'] }, { 'idempotency-key': 'k' });
    expect(refusalOf(answer)).toBe('400 validation_failed /header/Idempotency-Key');
  });
});

describe('403', () => {
  it('is for admins of everything only', async () => {
    const authority = await api.service.authority();
    const scopedAdmin = await api.client(['admin'], [authority]);
    for (const client of [api.registrar, api.approver, api.auditor, scopedAdmin]) {
      expect(refusalOf(await client.post(PATH, { name: 'x', roles: ['admin'] }))).toBe('403 role_missing');
    }
  });
});
