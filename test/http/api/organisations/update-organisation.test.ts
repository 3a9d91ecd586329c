import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const authority = await api.service.authority();

async function path(): Promise<string> {
  return `/api/v1/organisations/${(await api.service.organisation(authority, 'pending')).id}`;
}

describe('200', () => {
  it('changes what is given and leaves the rest', async () => {
    const where = await path();
    const before = await api.auditor.get(where);
    const { status, etag, body } = await api.registrar.patch(
      where,
      { legalName: 'New Name' },
      { 'if-match': before.etag },
    );
    expect([status, etag]).toEqual([200, '"2"']);
    expect(body).toEqual({ ...before.body, legalName: 'New Name', version: 2 });
    expect((await api.auditor.get(where)).body).toEqual(body);
  });
});

describe('400', () => {
  it('changes no state and no authority', async () => {
    const answer = await api.registrar.patch(
      await path(),
      { state: 'active', authorityId: authority.id },
      { 'if-match': '"1"' },
    );
    expect(refusalOf(answer)).toBe('400 validation_failed /state /authorityId');
  });
});

describe('403', () => {
  it('is for admins and registrars', async () => {
    const answer = await api.approver.patch(await path(), { legalName: 'x' }, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe('403 role_missing');
  });
});

describe('404', () => {
  it('knows no such organisation', async () => {
    const where = `/api/v1/organisations/${NO_SUCH_ID}`;
    expect(refusalOf(await api.admin.get(where))).toBe('404 not_found');
    expect(refusalOf(await api.admin.patch(where, { legalName: 'x' }, { 'if-match': '"1"' }))).toBe('404 not_found');
  });
});

describe('412', () => {
  it('lets one of two win who saw the same', async () => {
    const where = await path();
    const atOnce = await Promise.all(
      ['one', 'two'].map((legalName) => api.registrar.patch(where, { legalName }, { 'if-match': '"1"' })),
    );
    expect(atOnce.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});

describe('428', () => {
  it('wants to know what was seen', async () => {
    expect(refusalOf(await api.registrar.patch(await path(), { legalName: 'x' }))).toBe('428 version_required');
  });
});
