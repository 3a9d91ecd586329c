import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

async function path(): Promise<string> {
  return `/api/v1/authorities/${(await api.service.authority()).id}`;
}

describe('200', () => {
  it('changes what is given and leaves the rest', async () => {
    const changes = { name: 'Renamed', statementLifetimeSeconds: 600, defaultConstraints: { max_path_length: 1 } };
    const { status, body, etag } = await api.admin.patch(await path(), changes, { 'if-match': '"1"' });
    expect([status, etag, body.version]).toEqual([200, '"2"', 2]);
    expect(body).toMatchObject({ ...changes, configurationLifetimeSeconds: 86_400 });
  });

  it('[OIDFED-8.8.1-1] changes the authentication of the endpoints that it names, and of those that tell the same', async () => {
    const where = await path();
    const change = async (endpointAuthentication: object) =>
      (await api.admin.patch(where, { endpointAuthentication }, { 'if-match': '*' })).body.endpointAuthentication;
    const { body } = await api.admin.get(where);
    expect(new Set(Object.values(body.endpointAuthentication))).toEqual(new Set(['off', 'optional']));
    expect(await change({ fetch: 'required', list: 'optional' })).toMatchObject({
      fetch: 'required',
      list: 'optional',
    });
    expect(await change({ list: 'off' })).toEqual({
      ...body.endpointAuthentication,
      ...{ fetch: 'required', extendedList: 'required', subordinateEvents: 'required' },
    });
  });

  it('takes If-Match: * as any version', async () => {
    expect((await api.admin.patch(await path(), { name: 'x' }, { 'if-match': '*' })).status).toBe(200);
  });
});

describe('400', () => {
  it.each([
    ['nothing to change', {}, ''],
    ['another identifier', { entityIdentifier: 'https://other.example' }, '/entityIdentifier'],
    ['a version', { version: 7 }, '/version'],
    [
      'an unknown endpoint',
      { endpointAuthentication: { configuration: 'required' } },
      '/endpointAuthentication/configuration',
    ],
    ['an unknown rule', { endpointAuthentication: { fetch: 'on' } }, '/endpointAuthentication/fetch'],
  ])('refuses %s', async (_what, changes, pointer) => {
    const answer = await api.admin.patch(await path(), changes, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
  });

  it('explains what an If-Match is', async () => {
    const answer = await api.admin.patch(await path(), { name: 'x' }, { 'if-match': '1' });
    expect(refusalOf(answer)).toBe('400 validation_failed /header/If-Match');
    expect(answer.body.detail).toContain('with its quotes');
  });
});

describe('403', () => {
  it('is for admins only', async () => {
    for (const client of [api.registrar, api.approver, api.auditor]) {
      const answer = await client.patch(await path(), { name: 'x' }, { 'if-match': '"1"' });
      expect(refusalOf(answer)).toBe('403 role_missing');
    }
  });
});

describe('404', () => {
  it('knows no such authority', async () => {
    const answer = await api.admin.patch(`/api/v1/authorities/${NO_SUCH_ID}`, { name: 'x' }, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe('404 not_found');
  });
});

describe('412', () => {
  it.each(['"2"', '"99999999999"', '"abc"', 'W/"1"'])('refuses the tag %s', async (tag) => {
    const where = await path();
    expect(refusalOf(await api.admin.patch(where, { name: 'x' }, { 'if-match': tag }))).toBe('412 version_mismatch');
    expect((await api.admin.get(where)).body.version).toBe(1);
  });
});

describe('428', () => {
  it('wants to know what was seen', async () => {
    expect(refusalOf(await api.admin.patch(await path(), { name: 'x' }))).toBe('428 version_required');
  });
});
