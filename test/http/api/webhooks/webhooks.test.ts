import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eq } from 'drizzle-orm';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, describe, expect, it } from 'vitest';
import { eventStream } from '../../../../src/storage/schema/events.ts';
import { webhooks } from '../../../../src/storage/schema/webhooks.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/webhooks';
const authority = await api.service.authority();
const authorityId = authority.id;

const wanted = (settings: Record<string, unknown> = {}) => ({
  ...{ authorityId, name: 'ops', url: 'https://ops.example/events' },
  ...settings,
});

async function added(settings: Record<string, unknown> = {}) {
  const { status, body } = await api.admin.post(PATH, wanted(settings));
  expect(status, JSON.stringify(body)).toBe(201);
  return { path: `${PATH}/${body.id}`, body };
}

/** Everything that the audit says of a webhook. */
async function auditOf(id: string): Promise<string> {
  const rows = (await api.service.auditAfter()).filter(({ subjectId }) => subjectId === id);
  expect(rows.length).toBeGreaterThan(0);
  return JSON.stringify(rows);
}

describe('[F50] a webhook', () => {
  it('is added with a secret that is shown once and kept sealed, and never told to the audit', async () => {
    const { path, body } = await added({ types: ['organisation.*', 'entity.suspended'] });
    expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(body).toMatchObject({ state: 'active', health: { waiting: 0, dead: 0, lastSuccessAt: null } });
    expect(body.plannedThroughSeq).toBeGreaterThan(0);
    const { body: read } = await api.admin.get(path);
    expect(Object.keys(read)).not.toContain('secret');
    expect(Object.keys(read).filter((name) => /sealed/i.test(name))).toEqual([]);
    const [row] = await api.service.db.select().from(webhooks).where(eq(webhooks.id, body.id));
    expect(Buffer.from(row?.sealedSecret ?? []).includes(Buffer.from(body.secret.slice(6), 'base64'))).toBe(false);
    const rotated = await api.admin.post(`${path}/secret`, {});
    expect(rotated.body.secret).not.toBe(body.secret);
    expect(rotated.body.previousSecretUntil).not.toBeNull();
    const ended = await api.admin.post(`${path}/secret`, { endPrevious: true });
    expect(ended.body.previousSecretUntil).toBeNull();
    const audit = await auditOf(body.id);
    for (const { secret } of [body, rotated.body, ended.body]) expect(audit).not.toContain(secret.slice(6));
  });

  it('has an https address without user info; what stands in its query is not in the audit', async () => {
    for (const url of [
      ...[
        'http://ops.example/events',
        'https://user:word@ops.example/',
        'https://ops.example/#x',
        'ftp://ops.example/',
      ],
      ...['https://', 'x', 'https://ops.example/ x'],
    ]) {
      expect(refusalOf(await api.admin.post(PATH, wanted({ url })))).toBe('400 validation_failed /url');
    }
    // To which nothing would ever be delivered.
    const { path } = await added();
    for (const url of ['https://10.0.0.1/', 'https://[fd00::1]/x', 'https://169.254.169.254/']) {
      const refused = await api.admin.post(PATH, wanted({ url }));
      expect(refusalOf(refused)).toBe('400 validation_failed /url');
      expect(refused.body.detail).toContain('HOLDFAST_WEBHOOK_ALLOW');
      const { headers } = await api.admin.get(path);
      const moved = await api.admin.patch(path, { url }, { 'if-match': headers.get('etag') ?? '' });
      expect(refusalOf(moved)).toBe('400 validation_failed /url');
    }
    await added({ url: 'https://192.0.3.1/events' });
    const { body } = await added({ url: 'https://ops.example/events?key=s3cret' });
    expect(body.url).toBe('https://ops.example/events?key=s3cret');
    expect(await auditOf(body.id)).not.toContain('s3cret');
  });

  it('tells of types and roles that there are', async () => {
    expect(refusalOf(await api.admin.post(PATH, wanted({ types: ['organisation.eaten'] })))).toMatch(/^400 .*types/);
    const roleIds = ['019baf5e-0000-7000-8000-000000000000'];
    expect(refusalOf(await api.admin.post(PATH, wanted({ roleIds })))).toBe('400 validation_failed /roleIds/0');
    const seq = await api.service.seq();
    expect(refusalOf(await api.admin.post(PATH, wanted({ afterSeq: seq + 10 })))).toBe(
      '400 validation_failed /afterSeq',
    );
  });

  it('of all authorities is for admins who reach them all, and others see nothing of it', async () => {
    const { path, body } = await added({ authorityId: null });
    const ours = await api.client(['admin'], [authority]);
    expect(refusalOf(await ours.post(PATH, wanted({ authorityId: null })))).toBe('403 role_missing');
    expect(refusalOf(await ours.get(path))).toBe('404 not_found');
    expect(refusalOf(await ours.post(`${path}/ping`))).toBe('404 not_found');
    expect(JSON.stringify((await ours.get(PATH)).body)).not.toContain(body.id);
    expect(JSON.stringify((await api.admin.get(PATH)).body)).toContain(body.id);
  });

  it('is changed, paused, resumed and removed, each with the version that was seen', async () => {
    const { path, body } = await added();
    const changed = await api.admin.patch(path, { name: 'others', types: ['entity.*'] }, { 'if-match': '"1"' });
    expect(changed.body).toMatchObject({ name: 'others', types: ['entity.*'], version: 2 });
    expect(refusalOf(await api.admin.patch(path, { name: 'x' }, { 'if-match': '"1"' }))).toBe('412 version_mismatch');
    expect(refusalOf(await api.admin.post(`${path}/resume`, { reason: 'x' }))).toBe('409 illegal_transition');
    expect((await api.admin.post(`${path}/pause`, { reason: 'noise' })).body).toMatchObject({
      ...{ state: 'paused', stateReason: 'noise' },
    });
    expect((await api.admin.post(`${path}/resume`, { reason: 'quiet' })).body.state).toBe('active');
    expect((await api.admin.delete(path)).status).toBe(204);
    expect((await api.admin.get(path)).body.state).toBe('removed');
    expect(refusalOf(await api.admin.post(`${path}/ping`))).toBe('409 illegal_transition');
    expect(refusalOf(await api.admin.post(`${path}/secret`, {}))).toBe('409 illegal_transition');
    const [row] = await api.service.db.select().from(webhooks).where(eq(webhooks.id, body.id));
    expect(row?.sealedSecret.length).toBe(0);
  });

  it('goes on after events that are kept no more only where it is told from which seq', async () => {
    const { path } = await added();
    await api.admin.post(`${path}/pause`, { reason: 'holidays' });
    const seq = await api.service.seq();
    await api.service.db.update(eventStream).set({ prunedThroughSeq: seq });
    expect(refusalOf(await api.admin.post(`${path}/resume`, { reason: 'x' }))).toBe('410 resync_required');
    expect(refusalOf(await api.admin.post(`${path}/replay`, { what: 'since', afterSeq: 0 }))).toBe(
      '410 resync_required',
    );
    const resumed = await api.admin.post(`${path}/resume`, { reason: 'x', afterSeq: seq });
    expect(resumed.body).toMatchObject({ state: 'active', plannedThroughSeq: seq });
    await api.service.db.update(eventStream).set({ prunedThroughSeq: 0 });
  });

  it('is tried with a signed message, of whose answer the status alone is told', async () => {
    const messages: [body: string, headers: Record<string, string>][] = [];
    await using stack = new AsyncDisposableStack();
    const server = createServer(async (request, response) => {
      messages.push([await text(request), request.headers as Record<string, string>]);
      response.writeHead(messages.length === 1 ? 202 : 500).end('what nobody is told');
    }).listen(0, '127.0.0.1');
    stack.defer(() => void server.close());
    await once(server, 'listening');
    const { path, body } = await added({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x` });
    expect((await api.admin.post(`${path}/ping`)).body).toEqual({ status: 202, failure: null });
    expect((await api.admin.post(`${path}/ping`)).body).toEqual({ status: 500, failure: 'it answered 500' });
    const [content = '', headers = {}] = messages[0] ?? [];
    const ping = { type: 'webhook.ping', data: { webhook: { id: body.id, name: 'ops' } } };
    expect(new Verifier(body.secret).verify(content, headers)).toMatchObject(ping);
    expect((await api.admin.get(`${path}/deliveries`)).body).toEqual({ items: [] });
  });
});
