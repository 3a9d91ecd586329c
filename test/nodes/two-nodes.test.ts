import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idempotencyKeys } from '../../src/storage/schema/idempotency-keys.ts';
import { claimsOf } from '../support/answers.ts';
import { freePort } from '../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { enrolThrough, ifMatch, organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';

/** Within this time a change through one node shows at all others. */
const LIMIT_MS = 1000;

let database: TestDatabase;
let folder: string;
let baseUrl: string;
let hostedBaseUrl: string;
let first: ServiceProcess;
let second: ServiceProcess;
let server: FederationServer;
let organisationId: string;

/** Of a request long ago; both nodes find it when they start. */
const FORGOTTEN = {
  actorId: 'somebody',
  key: 'long ago',
  requestHash: 'hash',
  subjectId: '019baf5e-0000-7000-8000-000000000000',
  createdAt: new Date('2020-01-01T00:00:00Z'),
};

/** Both nodes start at the same time on a database that has its tables and nothing else. */
beforeAll(async () => {
  database = await createTestDatabase('postgresql');
  await database.db.insert(idempotencyKeys).values(FORGOTTEN);
  folder = await mkdtemp(join(tmpdir(), 'holdfast-nodes-'));
  const ports = [await freePort(), await freePort()];
  baseUrl = `http://localhost:${ports[0]}`;
  hostedBaseUrl = `http://hosted.localhost:${ports[0]}`;
  const masterKeyFile = join(folder, 'keys', 'master-key');
  const start = (port = 0) =>
    ServiceProcess.start({
      port,
      baseUrl,
      masterKeyFile,
      databaseUrl: database.url,
      dataDir: join(folder, String(port)),
      environment: { HOLDFAST_HOSTED_BASE_URL: hostedBaseUrl },
    });
  [first, second] = await Promise.all([start(ports[0]), start(ports[1])]);
  const { id } = await authority(baseUrl);
  organisationId = await organisationThrough(first, id);
  const superiors = [baseUrl];
  const rp = { superiors, metadata: { openid_relying_party: { client_name: 'Shop' } } };
  const below = { superiors: [`${baseUrl}/lower`] };
  const apart = { ...rp, superiors: [`${baseUrl}/apart`] };
  const settings = {
    suspended: rp,
    approved: rp,
    policy: rp,
    bytes: rp,
    cascade: rp,
    leaf: below,
    judged: apart,
    marked: rp,
  };
  server = await serveFederation(settings, { clock: systemClock });
});

afterAll(async () => {
  for (const resource of [server, first, second, database]) await resource?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function authority(entityIdentifier: string): Promise<{ id: string; entityIdentifier: string }> {
  const { body } = await first.api('GET', '/authorities');
  return body.items.find((item: { entityIdentifier: string }) => item.entityIdentifier === entityIdentifier);
}

const fetchUrl = (sub: string, at = baseUrl): string => `${at}/federation/fetch?sub=${encodeURIComponent(sub)}`;
/** All that lists subordinates. */
const listUrls = (at = baseUrl): string[] =>
  ['list', 'extended-list', 'collection'].map((endpoint) => `${at}/federation/${endpoint}`);
const resolveUrl = (sub: string, at = baseUrl): string =>
  `${at}/federation/resolve?sub=${encodeURIComponent(sub)}&trust_anchor=${encodeURIComponent(baseUrl)}`;

/** What a node says about a subject: `fetch list resolve`, each status, or whether all lists have it. */
async function view(node: ServiceProcess, sub: string, at = baseUrl): Promise<string> {
  const [fetched, resolved, ...lists] = await Promise.all(
    [fetchUrl(sub, at), resolveUrl(sub, at), ...listUrls(at)].map((url) => node.get(url)),
  );
  const said = lists.map(({ text }) => (text.includes(JSON.stringify(sub)) ? 'listed' : 'absent'));
  return [fetched?.status, [...new Set(said)].join('/'), resolved?.status].join(' ');
}

/**
 * Asks again and again until the answer is as expected.
 * @param since when the change was answered
 * @returns milliseconds since then
 */
async function timeUntil(
  what: string,
  expected: string,
  look: () => Promise<string>,
  since = performance.now(),
): Promise<number> {
  for (;;) {
    const seen = await look();
    const passedMs = performance.now() - since;
    if (seen === expected) {
      process.stdout.write(`two nodes: ${what} shows at the other one after ${passedMs.toFixed(1)} ms\n`);
      return passedMs;
    }
    if (passedMs > 5 * LIMIT_MS) throw new Error(`after ${passedMs} ms still: ${seen}`);
  }
}

/** @returns when it was answered */
async function transition(
  node: ServiceProcess,
  kind: 'entities' | 'organisations',
  id: string,
  name: string,
): Promise<number> {
  const answer = await node.api('POST', `/${kind}/${id}/${name}`, { reason: 'by a test' });
  const answeredAt = performance.now();
  expect([name, answer.status]).toEqual([name, 200]);
  return answeredAt;
}

describe('the first start of two nodes at once', () => {
  it('makes one authority, and one master key that both use', async () => {
    const expected = [expect.objectContaining({ entityIdentifier: baseUrl })];
    for (const node of [first, second]) {
      expect(node.ready.authorities).toEqual(expected);
      expect((await node.api('GET', '/authorities')).body.items).toEqual(expected);
    }
    expect([first.ready.isMasterKeyNew, second.ready.isMasterKeyNew].filter(Boolean)).toHaveLength(1);
    expect(second.ready.masterKeyFile).toBe(first.ready.masterKeyFile);
    expect((await readFile(first.ready.masterKeyFile, 'utf8')).trim()).toMatch(/^[\w-]{43}$/);
    const { body } = await first.api('GET', `/audit?limit=500`);
    const created = body.items.filter(({ action }: { action: string }) => action === 'authority.create');
    expect(created).toHaveLength(1);
  });

  it('deletes what expired long ago', async () => {
    const kept = async () => String((await database.db.select().from(idempotencyKeys)).length);
    expect(await timeUntil('the deletion of what expired', '0', kept)).toBeLessThan(LIMIT_MS);
  });

  it('is the only one for a node with another master key: it refuses to start', async () => {
    const dataDir = join(folder, 'stranger');
    const start = ServiceProcess.start({ port: await freePort(), baseUrl, databaseUrl: database.url, dataDir });
    await expect(start).rejects.toThrow(/master key/);
  });
});

describe('two nodes', () => {
  it('serve the same bytes: Entity Configuration, historical keys and Subordinate Statement, from the first request on', async () => {
    const sub = server.federation.id('bytes');
    await enrolThrough(first, organisationId, sub);
    const requests = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? first : second));
    const statements = await Promise.all(requests.map((node) => node.get(fetchUrl(sub))));
    expect(new Set(statements.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(statements.map(({ text }) => text)).size).toBe(1);
    expect(new Set(statements.map(({ headers }) => headers.etag)).size).toBe(1);
    const configuration = `${baseUrl}/.well-known/openid-federation`;
    for (const url of [configuration, `${baseUrl}/federation/historical-keys`]) {
      const answers = await Promise.all(requests.map((node) => node.get(url)));
      expect(answers.map(({ status }) => status)).toEqual(requests.map(() => 200));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    await second.api(
      'PATCH',
      `/authorities/${(await authority(baseUrl)).id}`,
      { name: 'Renamed' },
      { 'if-match': '"1"' },
    );
    const renamed = async (node: ServiceProcess) => (await node.get(configuration)).text;
    await timeUntil('a new name', 'Renamed', async () => {
      const { metadata } = claimsOf(await renamed(first)) as { metadata: Record<string, Record<string, string>> };
      return metadata['federation_entity']?.['organization_name'] ?? '';
    });
    expect(await renamed(first)).toBe(await renamed(second));
  });

  it('refuse within a second what was suspended through the other, and go on with it when it is reinstated', async () => {
    const sub = server.federation.id('suspended');
    const { id } = await enrolThrough(first, organisationId, sub);
    for (const [actor, observer] of [
      [first, second],
      [second, first],
    ] as const) {
      await timeUntil('an approval or reinstatement', '200 listed 200', () => view(observer, sub));
      for (const [name, expected] of [
        ['suspend', '404 absent 400'],
        ['reinstate', '200 listed 200'],
      ] as const) {
        const since = await transition(actor, 'entities', id, name);
        expect(await view(actor, sub)).toBe(expected);
        expect(await timeUntil(name, expected, () => view(observer, sub), since)).toBeLessThan(LIMIT_MS);
      }
    }
  });

  it('refuse within a second all entities of an organisation that was suspended through the other', async () => {
    const sub = server.federation.id('cascade');
    const own = await organisationThrough(first, (await authority(baseUrl)).id);
    await enrolThrough(second, own, sub);
    await timeUntil('an approval', '200 listed 200', () => view(first, sub));
    await transition(second, 'organisations', own, 'suspend');
    const passed = await timeUntil("an organisation's suspension", '404 absent 400', () => view(first, sub));
    expect(passed).toBeLessThan(LIMIT_MS);
  });

  it('publish the same bytes for a hosted entity, and nothing within a second after it was suspended through the other', async () => {
    const entityIdentifier = `${hostedBaseUrl}/clinic`;
    const metadata = { openid_relying_party: { client_name: 'Clinic' } };
    const added = await first.api('POST', '/entities', { organisationId, entityIdentifier, hosting: { metadata } });
    const { id } = added.body;
    await first.api('POST', `/entities/${id}/approve`, { reason: 'looks good' }, ifMatch(added));
    const url = `${entityIdentifier}/.well-known/openid-federation`;
    /** `configuration statement`: what a node says for and about the entity. */
    const look = async (node: ServiceProcess) => {
      const [configuration, statement] = await Promise.all([node.get(url), node.get(fetchUrl(entityIdentifier))]);
      return `${configuration.status} ${statement.status}`;
    };
    await timeUntil('a hosted entity', '200 200', () => look(second));
    const bytes = await Promise.all([first, second, first, second].map((node) => node.get(url)));
    expect(new Set(bytes.map(({ text }) => text)).size).toBe(1);
    expect(claimsOf(bytes[0]?.text ?? '')).toMatchObject({ sub: entityIdentifier, metadata });
    for (const [actor, observer] of [
      [first, second],
      [second, first],
    ] as const) {
      const since = await transition(actor, 'entities', id, 'suspend');
      expect(await look(actor)).toBe('404 404');
      const passed = await timeUntil("a hosted entity's suspension", '404 404', () => look(observer), since);
      expect(passed).toBeLessThan(LIMIT_MS);
      await transition(actor, 'entities', id, 'reinstate');
      await timeUntil("a hosted entity's reinstatement", '200 200', () => look(observer));
    }
  });

  it('refuse within a second what lies below an Intermediate that was suspended through the other', async () => {
    const lower = `${baseUrl}/lower`;
    const created = await first.api('POST', '/authorities', {
      entityIdentifier: lower,
      name: 'Lower',
      authorityHints: [baseUrl],
    });
    expect(created.status).toBe(201);
    const intermediate = await enrolThrough(first, organisationId, lower);
    const members = await organisationThrough(first, created.body.id);
    const leaf = server.federation.id('leaf');
    await enrolThrough(first, members, leaf);
    const below = async () => {
      const statuses = await Promise.all(
        [resolveUrl(leaf), resolveUrl(leaf, lower), fetchUrl(lower), resolveUrl(lower)].map((url) => second.get(url)),
      );
      return `${statuses.map(({ status }) => (status === 200 ? 'yes' : 'no')).join(' ')} ${await view(second, lower)}`;
    };
    await timeUntil('an Intermediate and its leaf', 'yes yes yes yes 200 listed 200', below);
    await transition(first, 'entities', intermediate.id, 'suspend');
    const passed = await timeUntil('the suspension of an Intermediate', 'no no no no 404 absent 400', below);
    expect(passed).toBeLessThan(LIMIT_MS);
    expect((await second.get(fetchUrl(leaf, lower))).status).toBe(200);
  });

  it('show within a second what was approved through the other, and not before', async () => {
    const sub = server.federation.id('approved');
    const added = await first.api('POST', '/entities', { organisationId, entityIdentifier: sub });
    expect(added.status).toBe(201);
    expect(await view(second, sub)).toBe('404 absent 503');
    await first.api('POST', `/entities/${added.body.id}/approve`, { reason: 'looks good' }, ifMatch(added));
    expect(await timeUntil('an approval', '200 listed 200', () => view(second, sub))).toBeLessThan(LIMIT_MS);
  });

  it('show within a second policies and constraints that were set through the other', async () => {
    const sub = server.federation.id('policy');
    const { id } = await enrolThrough(first, organisationId, sub);
    await timeUntil('an approval', '200 listed 200', () => view(second, sub));
    const named = async () => {
      const { text } = await second.get(resolveUrl(sub));
      const { metadata } = claimsOf(text) as { metadata: Record<string, Record<string, string>> };
      return metadata['openid_relying_party']?.['client_name'] ?? '';
    };
    expect(await named()).toBe('Shop');
    const seen = await first.api('GET', `/entities/${id}`);
    const metadataPolicy = { openid_relying_party: { client_name: { value: 'Own policy' } } };
    const changed = await first.api('PATCH', `/entities/${id}`, { metadataPolicy }, ifMatch(seen));
    expect(changed.status).toBe(200);
    expect(await timeUntil("an entity's policy", 'Own policy', named)).toBeLessThan(LIMIT_MS);
    const bytes = await Promise.all([first, second].map((node) => node.get(fetchUrl(sub))));
    expect(bytes[0]?.text).toBe(bytes[1]?.text);
    expect(claimsOf(bytes[0]?.text ?? '')).toMatchObject({ metadata_policy: metadataPolicy });
  });

  it('refuse within a second the Trust Marks of what was suspended through the other, and withdrawn marks', async () => {
    const sub = server.federation.id('marked');
    const { id } = await enrolThrough(first, organisationId, sub);
    const trustMarkType = `${baseUrl}/marks/member`;
    const { id: authorityId } = await authority(baseUrl);
    const type = await first.api('POST', '/trust-mark-types', { authorityId, trustMarkType, name: 'Member' });
    const granted = await first.api('POST', '/trust-marks', { typeId: type.body.id, subject: sub });
    expect([type.status, granted.status]).toEqual([201, 201]);
    const seen = await first.api('GET', `/authorities/${authorityId}`);
    const trustMarkIssuers = { [trustMarkType]: [baseUrl] };
    expect((await first.api('PATCH', `/authorities/${authorityId}`, { trustMarkIssuers }, ifMatch(seen))).status).toBe(
      200,
    );
    const named = `trust_mark_type=${encodeURIComponent(trustMarkType)}`;
    const markUrl = `${baseUrl}/federation/trust-mark?${named}&sub=${encodeURIComponent(sub)}`;
    const mark = (await first.get(markUrl)).text;
    server.federation.entity('marked').claims = {
      trust_marks: [{ trust_mark_type: trustMarkType, trust_mark: mark }],
    };
    /** `status listing mark resolve`: what the node says of the mark, whether it lists, gives and resolves it. */
    const look = async (node: ServiceProcess) => {
      const [status, listing, given, resolved] = await Promise.all([
        node.post(`${baseUrl}/federation/trust-mark-status`, { trust_mark: mark }),
        node.get(`${baseUrl}/federation/trust-marks?${named}`),
        node.get(markUrl),
        node.get(resolveUrl(sub)),
      ]);
      const isListed = listing.text.includes(JSON.stringify(sub));
      const isResolved = resolved.status === 200 && claimsOf(resolved.text)['trust_marks'] !== undefined;
      return [claimsOf(status.text)['status'], isListed, given.status, isResolved].join(' ');
    };
    const valid = 'active true 200 true';
    const revoked = 'revoked false 404 false';
    await timeUntil('a Trust Mark', valid, () => look(second));
    expect(await look(first)).toBe(valid);
    for (const [transitioned, expected] of [
      ['suspend', revoked],
      ['reinstate', valid],
    ] as const) {
      const since = await transition(first, 'entities', id, transitioned);
      expect(await look(first)).toBe(expected);
      const passed = await timeUntil(`${transitioned} of a bearer`, expected, () => look(second), since);
      expect(passed).toBeLessThan(LIMIT_MS);
    }
    const withdrawal = { reason: 'by a test' };
    expect((await second.api('POST', `/trust-marks/${granted.body.id}/withdraw`, withdrawal)).status).toBe(200);
    const since = performance.now();
    expect(await look(second)).toBe(revoked);
    expect(await timeUntil('a withdrawn Trust Mark', revoked, () => look(first), since)).toBeLessThan(LIMIT_MS);
    expect((await first.get(resolveUrl(sub))).status).toBe(200);
  });

  it('approve nothing through one whose checks judged by settings that were changed through the other', async () => {
    const entityIdentifier = `${baseUrl}/apart`;
    const apart = await first.api('POST', '/authorities', { entityIdentifier, name: 'Apart' });
    const members = await organisationThrough(first, apart.body.id);
    const judged = { organisationId: members, entityIdentifier: server.federation.id('judged') };
    const added = await first.api('POST', '/entities', judged);
    const defaultMetadataPolicy = { openid_relying_party: { contacts: { essential: false } } };
    const path = `/authorities/${apart.body.id}`;
    expect((await second.api('PATCH', path, { defaultMetadataPolicy }, ifMatch(apart))).status).toBe(200);
    const approve = (seen: typeof added) =>
      first.api('POST', `/entities/${added.body.id}/approve`, { reason: 'looks good' }, ifMatch(seen));
    const refused = await approve(added);
    expect([refused.status, refused.body.code]).toEqual([409, 'evidence_changed']);
    expect((await approve(await first.api('GET', `/entities/${added.body.id}`))).status).toBe(200);
  });
});

describe('the admin token of the environment', () => {
  it('is ignored by every node from the first named admin token on, and a start tells the way back in', async () => {
    const { body } = await first.api('POST', '/tokens', { name: 'Ada', roles: ['admin'] });
    const statuses = () => Promise.all([first, second].map(async (node) => (await node.api('GET', '/whoami')).status));
    expect(await statuses()).toEqual([401, 401]);
    const asAda = { authorization: `Bearer ${body.secret}` };
    expect((await second.api('DELETE', `/tokens/${body.id}`, undefined, asAda)).status).toBe(200);
    expect(await statuses()).toEqual([401, 401]);
    const { masterKeyFile } = first.ready;
    const settings = { port: await freePort(), baseUrl, databaseUrl: database.url, dataDir: join(folder, 'third') };
    await using third = await ServiceProcess.start({ ...settings, masterKeyFile });
    const told = expect.stringContaining('HOLDFAST_ADMIN_TOKEN_KEEP=1');
    expect(third.ready).toMatchObject({ notes: expect.arrayContaining([told]) });
  });
});
