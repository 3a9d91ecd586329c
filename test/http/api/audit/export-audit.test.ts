import { afterAll, describe, expect, it } from 'vitest';
import { openAuditFile } from '../../../../src/cli/audit/audit-file.ts';
import { verifyAuditChain } from '../../../../src/registry/audit/verify-chain.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { inputOf } from '../../../support/cli.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/audit/export';
const { service } = api;
const authority = await service.authority();
await service.organisation(authority);

describe('200', () => {
  it('[F52] is every entry, a line each, as the list shows it, with the hash before it', async () => {
    const { body, headers } = await api.auditor.get(PATH);
    expect(headers.get('content-disposition')).toContain('attachment');
    const lines: string[] = body.split('\n');
    expect(lines.pop()).toBe('');
    const { body: list } = await api.auditor.get('/api/v1/audit?limit=500');
    const rows = lines.map((line) => JSON.parse(line));
    expect(rows.map(({ previousHash: _, ...row }) => row)).toEqual(list.items);
    expect(rows.slice(1).map(({ previousHash }) => previousHash)).toEqual(rows.slice(0, -1).map(({ hash }) => hash));
  });

  it('verifies, whole and from any change on', async () => {
    for (const after of [undefined, 1, 3]) {
      const { body } = await api.admin.get(after === undefined ? PATH : `${PATH}?after=${after}`);
      const chain = await openAuditFile('-', { stdin: inputOf(body) });
      expect(await verifyAuditChain(chain)).toMatchObject({ findingCount: 0, last: { seq: await service.seq() } });
    }
  });

  it('is empty after the last change', async () => {
    expect((await api.admin.get(`${PATH}?after=${await service.seq()}`)).body).toBe('');
  });

  it('keeps line breaks and markup of a reason within its line', async () => {
    const { id } = await service.organisation(authority, 'pending');
    const reason = 'first\r\n{"seq":99}\n<b>bold</b>\u2028,=cmd()';
    const headers = { 'if-match': '"1"' };
    await api.approver.post(`/api/v1/organisations/${id}/approve`, { reason }, headers);
    const { body } = await api.admin.get(`${PATH}?after=${(await service.seq()) - 1}`);
    expect(body.split(/[\r\n\u0085\u2028\u2029]/)).toHaveLength(2);
    expect(JSON.parse(body).reason).toBe(reason);
    const raw = body.replace('\\u2028', '\u2028');
    expect(await verifyAuditChain(await openAuditFile('-', { stdin: inputOf(raw) }))).toMatchObject({
      rows: 1,
      findingCount: 0,
    });
  });
});

describe('400', () => {
  it.each(['after=-1', 'after=x', 'after=', 'limit=1'])('%s', async (query) => {
    expect((await api.admin.get(`${PATH}?${query}`)).status).toBe(400);
  });
});

describe('403', () => {
  it('the role is missing, or the reach', async () => {
    expect(refusalOf(await api.registrar.get(PATH))).toBe('403 role_missing');
    const scoped = await api.client(['auditor'], [authority]);
    expect(refusalOf(await scoped.get(PATH))).toBe('403 role_missing');
  });
});
