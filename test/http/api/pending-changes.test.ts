import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { ApiClient } from '../../support/api-client.ts';
import { callHoldfast } from '../../support/cli.ts';
import { databaseWithFeedSwitch, type FeedSwitch } from '../../support/lagging-feed.ts';
import { TestService } from '../../support/service.ts';

const PENDING = 'holdfast-pending-seq';

let feed: FeedSwitch;
let service: TestService;
let authority: Authority;
let entity: Entity;
let admin: ApiClient;

beforeAll(async () => {
  const cuttable = await databaseWithFeedSwitch();
  feed = cuttable.feed;
  service = await TestService.start(cuttable.database, {});
  authority = await service.authority();
  entity = await service.entity(await service.organisation(authority));
  admin = new ApiClient(service.app, await service.bearer(['admin', 'registrar', 'approver', 'auditor']));
});

afterEach(async () => {
  feed.isCut = false;
  await expect.poll(async () => (await admin.get('/readyz')).status).toBe(200);
});

afterAll(async () => {
  expect(service.failures).toEqual([]);
  await service[Symbol.asyncDispose]();
});

function newOrganisation(legalName: string) {
  return { authorityId: authority.id, legalName, contacts: [{ type: 'technical', email: 'ops@partner.example' }] };
}

describe('a change that this node does not show in time', () => {
  it('is answered as recorded, with the seq under which it will take effect', async () => {
    feed.isCut = true;
    const answer = await admin.post(`/api/v1/entities/${entity.id}/suspend`, { reason: 'incident' });
    expect([answer.status, answer.body.state]).toEqual([200, 'suspended']);
    expect(Number(answer.headers.get(PENDING))).toBe(await service.seq());
    expect((await admin.get('/readyz')).body.seq).toBeLessThan(await service.seq());

    const fetched = () => service.ask(authority, 'fetch', { sub: entity.entityIdentifier });
    await expect.poll(async () => (await fetched()).status, { timeout: 5000 }).toBe(503);
    feed.isCut = false;
    await expect.poll(async () => (await fetched()).status, { timeout: 5000 }).toBe(404);
    expect((await admin.get('/readyz')).body.seq).toBe(await service.seq());
  });

  it('is made once and given back by a repetition with its Idempotency-Key', async () => {
    feed.isCut = true;
    const key = { 'idempotency-key': 'pending-1' };
    const first = await admin.post('/api/v1/organisations', newOrganisation('Pending'), key);
    expect([first.status, Number(first.headers.get(PENDING))]).toEqual([201, await service.seq()]);
    const second = await admin.post('/api/v1/organisations', newOrganisation('Pending'), key);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    const { items } = (await admin.get(`/api/v1/organisations?authorityId=${authority.id}`)).body;
    expect(items.filter(({ legalName }: { legalName: string }) => legalName === 'Pending')).toHaveLength(1);
  });

  it('loses no secret that is told once', async () => {
    feed.isCut = true;
    const token = { name: 'machine', roles: ['auditor'], expiresInDays: 1 };
    const made = await admin.post('/api/v1/tokens', token);
    expect([made.status, made.headers.has(PENDING)]).toEqual([201, true]);
    const holder = new ApiClient(service.app, { authorization: `Bearer ${made.body.secret}` });
    expect((await holder.get('/api/v1/whoami')).body).toMatchObject({ name: 'machine' });
  });

  it('is told of on the command line, beside what was recorded', async () => {
    await using server = await service.listen();
    const { authorization } = await service.bearer(['admin', 'registrar']);
    const env = { HOLDFAST_URL: server.origin, HOLDFAST_TOKEN: authorization.split(' ')[1]! };
    const options = ['--authority', authority.entityIdentifier, '--contact', 'technical=a@b.example', '--json'];
    const add = (name: string) => callHoldfast(['organisation', 'add', name, ...options], { env });
    feed.isCut = true;
    const { exitCode, stdout, stderr } = await add('By command');
    expect([exitCode, JSON.parse(stdout).legalName]).toEqual([0, 'By command']);
    expect(stderr).toContain(`warning: recorded as change ${await service.seq()}, but not in effect yet`);
    feed.isCut = false;
    expect((await add('At once')).stderr).toBe('');
  });
});

describe('every other answer', () => {
  it('says nothing of the kind: changes in effect, refusals, and reading', async () => {
    const made = await admin.post('/api/v1/organisations', newOrganisation('In effect'));
    expect([made.status, made.headers.has(PENDING)]).toEqual([201, false]);
    feed.isCut = true;
    const refused = await admin.post(`/api/v1/entities/${entity.id}/approve`, { reason: 'x' }, { 'if-match': '"999"' });
    expect([refused.status >= 400, refused.headers.has(PENDING)]).toEqual([true, false]);
    expect((await admin.get(`/api/v1/entities/${entity.id}`)).headers.has(PENDING)).toBe(false);
  });
});
