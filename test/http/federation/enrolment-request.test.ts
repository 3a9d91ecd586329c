import { randomUUID } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WAITING_LIMITS } from '../../../src/enrolment/flow/waiting-requests.ts';
import { TYP } from '../../../src/federation/media-types.ts';
import { pruneExpired } from '../../../src/registry/prune-expired.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { enrolmentSteps, enrolments } from '../../../src/storage/schema/enrolments.ts';
import { organisationDomains } from '../../../src/storage/schema/organisation-proofs.ts';
import { ApiClient, type Body } from '../../support/api-client.ts';
import { relyingParty } from '../../support/api-service.ts';
import { flowWith, outcomes, stepOf } from '../../support/enrolment-flow.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { signJwt, type TestKey, testKey } from '../../support/keys.ts';
import { NOW_DATE } from '../../support/registry.ts';
import { startTestService, TestService } from '../../support/service.ts';

const DAY = 86_400;

const service = await startTestService('postgresql');
afterAll(() => service[Symbol.asyncDispose]());
const registrar = new ApiClient(service.app, await service.bearer(['registrar']));
const approver = new ApiClient(service.app, await service.bearer(['approver']));
const authority = await service.authority({ enrolmentFlow: flowWith([{ step: 'domain' }]) });
const organisation = await service.organisation(authority);

let partner: FederationServer;
let entity: string;
let key: TestKey;
let jtis = 0;

beforeAll(async () => {
  partner = await serveFederation({ rp: relyingParty(authority), other: relyingParty(authority) });
  entity = partner.federation.id('rp');
  key = partner.federation.entity('rp').keys[0] as TestKey;
});
afterAll(() => partner[Symbol.asyncDispose]());

interface Asked {
  status: number;
  body: Body;
}

async function ask(text: string, contentType: string, at = service, superior = authority): Promise<Asked> {
  const url = `${superior.entityIdentifier}/federation/enrolment-request`;
  const response = await at.fetch(url, { method: 'POST', body: text, headers: { 'content-type': contentType } });
  return { status: response.status, body: await response.json() };
}

function claims(more: object = {}): Record<string, unknown> {
  const iat = service.clock.now();
  const jti = `jti ${++jtis}`;
  return { iss: entity, sub: entity, aud: authority.entityIdentifier, iat, exp: iat + 300, jti, ...more };
}

const signed = (more: object = {}, by = key, typ: string = TYP.enrolmentRequest) => signJwt(by, typ, claims(more));
const askSigned = async (jwt: string | Promise<string>, at = service, superior = authority) =>
  await ask(await jwt, 'application/enrolment-request+jwt', at, superior);
const askPublicly = (body: object) => ask(JSON.stringify(body), 'application/json');

const APPLICANT = { legalName: 'Partner Ltd', email: 'jo@partner.example' };

describe('F04 a request signed by the entity', () => {
  it('F04 runs the steps at once, and again when it is repeated; a registrar says whose it is', async () => {
    const first = await askSigned(signed({ enrolment: { name: 'Portal', applicant: APPLICANT } }));
    expect([first.status, first.body.state]).toEqual([202, 'checks_failed']);
    expect(outcomes({ steps: first.body.steps.map((step: Body) => ({ reason: null, ...step })) })).toEqual([
      ...['identity failed organisation_missing', 'keys passed', 'configuration passed', 'metadata_policy passed'],
      ...['domain failed domain_unproven', 'approvals waiting'],
    ]);
    expect(first.body.domainChallenge.file).toBe(`${partner.origin}/.well-known/holdfast-domain-challenge`);
    partner.override(first.body.domainChallenge.file, { status: 200, body: first.body.domainChallenge.challenge });
    const again = await askSigned(signed());
    expect(again.body.id).toBe(first.body.id);
    expect(again.body.steps.find(({ step }: Body) => step === 'domain').outcome).toBe('passed');
    const path = `/api/v1/enrolments/${first.body.id}`;
    const { body, etag } = await registrar.get(path);
    expect(body).toMatchObject({
      ...{ submittedVia: 'signed_request', organisationId: null, name: 'Portal' },
      submittedBy: { kind: 'entity', id: entity },
      applicant: { ...APPLICANT, message: null },
    });
    const taken = await registrar.patch(path, { organisationId: organisation.id }, { 'if-match': etag });
    expect(taken.body).toMatchObject({ state: 'pending_approval', lapsesAt: null });
    const approved = await approver.post(`${path}/approve`, { reason: 'known' }, { 'if-match': taken.etag });
    expect(approved.body.state).toBe('approved');
    expect((await service.ask(authority, 'fetch', { sub: entity })).status).toBe(200);
  });

  it('F04 belongs to the organisation that proved the domain, if that is one alone', async () => {
    const there = await serveFederation({ rp: relyingParty(authority) });
    await using _ = there;
    const identifier = there.federation.id('rp');
    const { host } = new URL(identifier);
    const proof = { domain: host, method: 'https' as const, verifiedAt: NOW_DATE, evidence: {} };
    await service.db.insert(organisationDomains).values({ ...proof, organisationId: organisation.id });
    const by = there.federation.entity('rp').keys[0] as TestKey;
    const { body } = await askSigned(signed({ iss: identifier, sub: identifier }, by));
    expect(body.state).toBe('pending_approval');
    expect((await registrar.get(`/api/v1/enrolments/${body.id}`)).body.organisationId).toBe(organisation.id);
  });

  it('F04 accepts terms for the organisation once it is approved, not before', async () => {
    const terms = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };
    const strict = await service.authority({ enrolmentFlow: flowWith([terms]) });
    const owner = await service.organisation(strict);
    await using there = await serveFederation({ rp: relyingParty(strict) });
    const identifier = there.federation.id('rp');
    const proof = { domain: new URL(identifier).host, method: 'https' as const, verifiedAt: NOW_DATE, evidence: {} };
    await service.db.insert(organisationDomains).values({ ...proof, organisationId: owner.id });
    const by = there.federation.entity('rp').keys[0] as TestKey;
    const asked = { terms: { version: terms.version, acceptedBy: 'Mallory' } };
    const more = { iss: identifier, sub: identifier, aud: strict.entityIdentifier, enrolment: asked };
    const { body } = await askSigned(signed(more, by), service, strict);
    expect(body.state).toBe('pending_approval');
    const accepted = async () => (await registrar.get(`/api/v1/organisations/${owner.id}/terms`)).body.items;
    expect(await accepted()).toEqual([]);
    const path = `/api/v1/enrolments/${body.id}`;
    const { etag } = await registrar.get(path);
    const approved = await approver.post(`${path}/approve`, { reason: 'known' }, { 'if-match': etag });
    expect(approved.body.state).toBe('approved');
    expect(await accepted()).toMatchObject([
      { version: '2027-1', acceptedBy: 'Mallory', recordedBy: { kind: 'token' } },
    ]);
  });

  it('F04 makes room by letting lapse what proved nothing; what did stays, and then there is none', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([]) });
    await using there = await serveFederation({ rp: relyingParty(strict), next: relyingParty(strict) });
    const ask = (name: 'rp' | 'next') => {
      const identifier = there.federation.id(name);
      const more = { iss: identifier, sub: identifier, aud: strict.entityIdentifier };
      return askSigned(signed(more, there.federation.entity(name).keys[0] as TestKey), service, strict);
    };
    const { status, body } = await ask('rp');
    expect(status).toBe(202);
    const [row] = await service.db.select().from(enrolments).where(eq(enrolments.id, body.id));
    if (row === undefined) throw new Error('it was not written down');
    const others = Array.from({ length: WAITING_LIMITS.all - 1 }, (_, index) => ({
      ...{ ...row, id: randomUUID(), entityIdentifier: `https://${index}.example`, askedFrom: null },
    }));
    await service.db.insert(enrolments).values(others);
    const next = await ask('next');
    expect(next.status).toBe(202);
    const ofThese = eq(enrolments.authorityId, strict.id);
    const lapsed = await service.db
      .select()
      .from(enrolments)
      .where(and(ofThese, eq(enrolments.state, 'lapsed')));
    expect(lapsed.map(({ stateReason }) => stateReason)).toEqual(['made room for later requests; nothing was proven']);
    expect(others.map(({ id }) => id)).toContain(lapsed[0]?.id);
    const known = await service.db.select().from(enrolmentSteps).where(eq(enrolmentSteps.enrolmentId, body.id));
    const passed = known.flatMap((step) => others.map(({ id }) => ({ ...step, enrolmentId: id })));
    for (; passed.length > 0; passed.splice(0, 1000)) {
      await service.db.insert(enrolmentSteps).values(passed.slice(0, 1000));
    }
    await service.db.delete(enrolments).where(eq(enrolments.id, next.body.id));
    await service.db
      .update(enrolments)
      .set({ state: 'submitted' })
      .where(eq(enrolments.id, lapsed[0]?.id ?? ''));
    expect((await ask('next')).status).toBe(429);
    expect((await ask('rp')).body.id).toBe(body.id);
    // They would keep the jobs of other tests busy.
    await service.db.delete(enrolments).where(ofThese);
  });

  it('F04 makes one enrolment of two that come at once', async () => {
    await using there = await serveFederation({ rp: relyingParty(authority) });
    const identifier = there.federation.id('rp');
    const by = there.federation.entity('rp').keys[0] as TestKey;
    const jwts = await Promise.all([1, 2, 3].map(() => signed({ iss: identifier, sub: identifier }, by)));
    const answers = await Promise.all(jwts.map((jwt) => askSigned(jwt)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
  });

  it('F04 answers each of several that come at once while one is open', async () => {
    await using there = await serveFederation({ rp: relyingParty(authority) });
    const identifier = there.federation.id('rp');
    const by = there.federation.entity('rp').keys[0] as TestKey;
    const ask = async () => await askSigned(signed({ iss: identifier, sub: identifier }, by));
    const { body } = await ask();
    const answers = await Promise.all([ask(), ask(), ask(), ask()]);
    expect(answers.map(({ status, body: { id } }) => [status, id])).toEqual(Array(4).fill([202, body.id]));
  });

  it('F04 is taken once, between two nodes', async () => {
    const { url: databaseUrl = '' } = service.database;
    await using other = await TestService.start(await connectDatabase({ url: databaseUrl }), {});
    const jwt = await signed();
    expect((await askSigned(jwt)).status).toBe(202);
    for (const node of [other, service]) {
      const replayed = await askSigned(jwt, node);
      expect([replayed.status, replayed.body.error]).toEqual([401, 'invalid_client']);
    }
    const both = await signed();
    const statuses = (await Promise.all([askSigned(both), askSigned(both, other)])).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([202, 401]);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['another typ', () => signed({}, key, 'JWT'), '400 invalid_request'],
    ['another audience', () => signed({ aud: 'https://x.example' }), '400 invalid_request'],
    ['two audiences', () => signed({ aud: [authority.entityIdentifier, 'https://x.example'] }), '400 invalid_request'],
    ['another subject', () => signed({ sub: 'https://x.example' }), '400 invalid_request'],
    ['a life of more than five minutes', () => signed({ exp: service.clock.now() + 301 }), '400 invalid_request'],
    ['an exp that has passed', () => signed({ iat: 1, exp: 300 }), '400 invalid_request'],
    ['an iat ahead', () => signed({ iat: service.clock.now() + 200 }), '400 invalid_request'],
    ['no jti', () => signed({ jti: undefined }), '400 invalid_request'],
    ['a jti without end', () => signed({ jti: 'x'.repeat(600) }), '400 invalid_request'],
    ['an enrolment that is none', () => signed({ enrolment: [] }), '400 invalid_request'],
    ['unknown members', () => signed({ enrolment: { state: 'approved' } }), '400 invalid_request'],
    ['roles', () => signed({ enrolment: { roles: ['x'] } }), '400 invalid_request'],
    ['settings of a registrar', () => signed({ enrolment: { metadataPolicy: {} } }), '400 invalid_request'],
    ['a key that nobody publishes', async () => await signed({}, await testKey('ES256', 77)), '401 invalid_client'],
    [
      'the key of another entity',
      () => signed({}, partner.federation.entity('other').keys[0] as TestKey),
      '401 invalid_client',
    ],
    ['no JWT', async () => 'x', '400 invalid_request'],
  ])('F04 is refused with %s', async (_what, jwt, refusal) => {
    const seq = await service.seq();
    const { status, body } = await askSigned(jwt());
    expect(`${status} ${body.error}`).toBe(refusal);
    expect(await service.seq()).toBe(seq);
  });
});

describe('F04 a request from anybody', () => {
  it('F04 is written down and nothing else, and reserves nothing until its checks pass', async () => {
    const { federation } = partner;
    const entityIdentifier = federation.id('other');
    const asked = partner.requests.length;
    const { status, body } = await askPublicly({ entityIdentifier, applicant: { ...APPLICANT, message: 'Hello' } });
    expect([status, body.state, body.steps]).toEqual([202, 'submitted', []]);
    expect(partner.requests).toHaveLength(asked);
    const path = `/api/v1/enrolments/${body.id}`;
    expect((await registrar.get(path)).body).toMatchObject({
      ...{ organisationId: null, entityId: null, submittedVia: 'public', submittedBy: { id: 'public' } },
      applicant: { ...APPLICANT, message: 'Hello' },
    });
    await service.runEnrolments();
    const looked = await registrar.get(path);
    expect(looked.body).toMatchObject({ state: 'checks_failed', entityId: null });
    expect(stepOf(looked.body, 'identity').reason).toBe('organisation_missing');
    // Somebody else may have the name meanwhile.
    const rival = await registrar.post('/api/v1/enrolments', { organisationId: organisation.id, entityIdentifier });
    expect(rival.body.state).toBe('pending_approval');
    await registrar.post(`/api/v1/enrolments/${rival.body.id}/cancel`, { reason: 'only to see' });
    partner.override(body.domainChallenge.file, { status: 200, body: body.domainChallenge.challenge });
    const taken = await registrar.patch(path, { organisationId: organisation.id }, { 'if-match': looked.etag });
    expect(taken.body).toMatchObject({ state: 'pending_approval', lapsesAt: null });
  });

  it('F04 is looked at in its turn, more and more seldom, and lapses after 14 days', async () => {
    const entityIdentifier = 'https://nobody.example';
    const { body } = await askPublicly({ entityIdentifier, applicant: APPLICANT });
    const path = `/api/v1/enrolments/${body.id}`;
    // Tokens of the test live for a day.
    const read = async () => (await new ApiClient(service.app, await service.bearer(['auditor'])).get(path)).body;
    const attempts = async () => stepOf(await read(), 'keys')?.attempts ?? 0;
    await service.runEnrolments();
    await service.runEnrolments();
    expect(await attempts()).toBe(1);
    service.clock.advance(301);
    await service.runEnrolments();
    expect(await attempts()).toBe(2);
    service.clock.advance(14 * DAY - 302);
    await service.runEnrolments();
    expect((await read()).state).toBe('checks_failed');
    service.clock.advance(1);
    await service.runEnrolments();
    expect(await read()).toMatchObject({
      state: 'lapsed',
      allowedActions: [],
      stateReason: 'nobody took it up in time',
    });
    const lapse = expect.objectContaining({ action: 'enrolment.lapse', subjectId: body.id });
    expect(await service.auditAfter()).toContainEqual(lapse);
    service.clock.advance(90 * DAY + 1);
    await pruneExpired(service.db, new Date(service.clock.now() * 1000));
    expect((await read()).code).toBe('not_found');
  });

  it('F04 takes the place of one for the same entity, unless somebody proved the domain with each', async () => {
    const { entityIdentifier: at } = await service.authority({ enrolmentFlow: flowWith([{ step: 'domain' }]) });
    const asking = JSON.stringify({ entityIdentifier: 'https://again.example', applicant: APPLICANT });
    const ids: string[] = [];
    const askThere = async (): Promise<number> => {
      service.clock.advance(1);
      const { status, body } = await ask(asking, 'application/json', service, { ...authority, entityIdentifier: at });
      if (status === 202) ids.push(body.id);
      return status;
    };
    const whoLapsed = async () => {
      const rows = await service.db.select().from(enrolments).where(inArray(enrolments.id, ids));
      const lapsed = rows.filter(({ state }) => state === 'lapsed');
      return lapsed.map(({ id }) => ids.indexOf(id)).toSorted();
    };
    for (let count = 0; count < 6; count++) expect(await askThere()).toBe(202);
    expect(await whoLapsed()).toEqual([4]);
    const pass = async (step: 'keys' | 'domain') => {
      const row = { step, position: 1, outcome: 'passed' as const, detail: '', evidence: {}, wouldChange: {} };
      const rows = ids.map((enrolmentId) => ({ ...row, enrolmentId, attempts: 1, at: NOW_DATE }));
      await service.db.insert(enrolmentSteps).values(rows);
    };
    // Anybody can name an entity that publishes itself.
    await pass('keys');
    expect(await askThere()).toBe(202);
    expect(await whoLapsed()).toEqual([4, 5]);
    await pass('domain');
    expect(await askThere()).toBe(429);
    expect(await whoLapsed()).toEqual([4, 5]);
  });

  it.each<[string, object]>([
    ['no applicant', { applicant: undefined }],
    ['an organisation', { organisationId: organisation.id }],
    ['roles', { roles: [] }],
    ['a line feed in a name', { applicant: { ...APPLICANT, legalName: 'Partner\nLtd' } }],
    ['a carriage return in a name', { name: 'x\r\nset-cookie: a=b' }],
    ['text that turns its direction', { applicant: { ...APPLICANT, message: 'abc\u202edef' } }],
    ['a bell', { applicant: { ...APPLICANT, message: '\u0007' } }],
    ['U+0000', { name: 'x\u0000' }],
    ['half a character', { name: 'x\ud800' }],
    ['an address that is none', { applicant: { ...APPLICANT, email: 'x@y\r\nbcc: z@z.example' } }],
    ['a domain elsewhere', { domain: 'elsewhere.example' }],
    ['the authority itself', { entityIdentifier: authority.entityIdentifier }],
    ['no identifier', { entityIdentifier: 'javascript:alert(1)' }],
  ])('F04 is refused with %s', async (_what, more) => {
    const seq = await service.seq();
    const { status, body } = await askPublicly({
      ...{ entityIdentifier: 'https://bad.example', applicant: APPLICANT },
      ...more,
    });
    expect([status, body.error]).toEqual([400, 'invalid_request']);
    expect(await service.seq()).toBe(seq);
  });

  it('F04 keeps markup and formulas as the text that they are', async () => {
    const legalName = '<script>alert(1)</script>';
    const message = '=HYPERLINK("https://x.example")\n"; DROP TABLE enrolments; --';
    const entityIdentifier = 'https://markup.example';
    const { body } = await askPublicly({ entityIdentifier, applicant: { ...APPLICANT, legalName, message } });
    const response = await service.fetch(`http://localhost:8080/api/v1/enrolments/${body.id}`, {
      headers: await service.bearer(['auditor']),
    });
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toMatchObject({ applicant: { legalName, message } });
  });

  it('F04 costs the address what an evaluation does', async () => {
    const before = await askPublicly({ entityIdentifier: 'https://quota.example', applicant: APPLICANT });
    expect(before.status).toBe(202);
    const statuses = await Promise.all(Array.from({ length: 320 }, () => ask('{', 'application/json')));
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([400, 429]));
  });
});
