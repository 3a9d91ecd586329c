import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { markKeyCompromised } from '../../../../src/registry/entities/keys/mark-key-compromised.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { connectDatabase } from '../../../../src/storage/connect.ts';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import type { TestKey } from '../../../support/keys.ts';
import { testKey } from '../../../support/keys.ts';
import { startTestService, TestService } from '../../../support/service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const TOKEN_URL = 'http://localhost:8080/api/v1/oauth/token';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let keysMade = 5000;

interface Member {
  entity: Entity;
  authority: Authority;
  key: TestKey;
}

/** An active entity whose key the test has, besides another one. */
async function member(service: TestService = api.service): Promise<Member> {
  const authority = await service.authority();
  const [key, other] = await Promise.all([testKey('ES256', ++keysMade), testKey('ES256', ++keysMade)]);
  const jwks = { keys: [key.jwk, other.jwk] };
  return { authority, key, entity: await service.entity(await service.organisation(authority), { jwks }) };
}

interface Tampering {
  claims?: object;
  header?: object;
  key?: TestKey;
}

/** Signed by jose, as a client would. */
async function assertionOf(
  { entity, key }: Member,
  { claims, header, key: other }: Tampering = {},
  now = api.service.clock.now(),
): Promise<string> {
  const { entityIdentifier } = entity;
  const own = {
    iss: entityIdentifier,
    sub: entityIdentifier,
    aud: TOKEN_URL,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  };
  const signer = other ?? key;
  return await new SignJWT({ ...own, ...claims })
    .setProtectedHeader({ alg: signer.alg, kid: key.kid, ...header })
    .sign(signer.privateKey);
}

function formOf(assertion: string, form: Record<string, string> = {}): URLSearchParams {
  const proof = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
  return new URLSearchParams({ grant_type: 'client_credentials', ...proof, ...form });
}

function ask(body: URLSearchParams | string, init: RequestInit = {}, service = api.service): Promise<Response> {
  return service.fetch(TOKEN_URL, { method: 'POST', body, ...init });
}

async function refusal(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const { error } = (await response.json()) as { error?: string };
  return `${response.status} ${error}`;
}

async function tokenOf(someone: Member, service = api.service): Promise<ApiClient> {
  const response = await ask(formOf(await assertionOf(someone, {}, service.clock.now())), {}, service);
  const { access_token: secret } = (await response.json()) as { access_token: string };
  return new ApiClient(service.app, { authorization: `Bearer ${secret}` });
}

const someone = await member();
const stranger = await testKey('ES256', ++keysMade);
const inSeconds = (seconds: number) => api.service.clock.now() + seconds;

describe('F03 private_key_jwt', () => {
  it('gets a machine a token of ten minutes, over a socket', async () => {
    const caller = await member();
    await using server = await api.service.listen();
    const response = await fetch(`${server.origin}/api/v1/oauth/token`, {
      method: 'POST',
      body: formOf(await assertionOf(caller), { client_id: caller.entity.entityIdentifier }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const token = (await response.json()) as { access_token: string };
    expect(token).toEqual({
      access_token: expect.stringMatching(/^holdfast\.entity\.[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 600,
    });
    const client = new ApiClient(api.service.app, { authorization: `Bearer ${token.access_token}` });
    const { body } = await client.get('/api/v1/whoami');
    const { id, organisationId, entityIdentifier } = caller.entity;
    expect(body).toEqual({
      kind: 'entity',
      id: entityIdentifier,
      name: entityIdentifier,
      roles: ['technical-contact'],
      authorityIds: [caller.authority.id],
      organisationIds: [organisationId],
      entityId: id,
    });
    expect((await client.get(`/api/v1/entities/${id}`)).status).toBe(200);
    expect((await client.get('/api/v1/entities')).body.items).toHaveLength(1);
    expect(refusalOf(await client.get(`/api/v1/organisations/${organisationId}`))).toBe('403 role_missing');
  });

  it('ends with its ten minutes', async () => {
    const caller = await member();
    const client = await tokenOf(caller);
    api.service.clock.advance(599);
    expect((await client.get('/api/v1/whoami')).status).toBe(200);
    api.service.clock.advance(1);
    expect((await client.get('/api/v1/whoami')).status).toBe(401);
  });

  it.each<[string, (someone: Member) => Promise<unknown>]>([
    ['its entity is suspended', ({ entity }) => transitionEntity(api.service.context(), entity.id, 'suspend', 'x')],
    [
      'its organisation is suspended',
      ({ entity }) => transitionOrganisation(api.service.context(), entity.organisationId, 'suspend', 'x'),
    ],
    [
      'the key is removed',
      ({ entity, key }) => removeEntityKey(api.service.context(), entity.id, { kid: key.kid, reason: 'x' }),
    ],
    [
      'the key is compromised',
      ({ entity, key }) => markKeyCompromised(api.service.context(), entity.id, { kid: key.kid, reason: 'x' }),
    ],
  ])('ends at once when %s, and no other is granted', async (_what, end) => {
    const caller = await member();
    const client = await tokenOf(caller);
    expect((await client.get('/api/v1/whoami')).status).toBe(200);
    await end(caller);
    expect((await client.get('/api/v1/whoami')).status).toBe(401);
    expect(await refusal(ask(formOf(await assertionOf(caller))))).toBe('401 invalid_client');
  });

  it.each<[string, () => Tampering]>([
    ['for somebody else', () => ({ claims: { aud: someone.authority.entityIdentifier } })],
    ['for us and somebody else', () => ({ claims: { aud: [TOKEN_URL, 'https://x.example'] } })],
    ['good for more than five minutes', () => ({ claims: { exp: inSeconds(331) } })],
    ['that expired', () => ({ claims: { exp: inSeconds(-31) } })],
    ['without an end', () => ({ claims: { exp: undefined } })],
    ['without a jti', () => ({ claims: { jti: undefined } })],
    ['about somebody else', () => ({ claims: { sub: 'https://x.example' } })],
    ['of somebody unknown', () => ({ claims: { iss: 'https://x.example', sub: 'https://x.example' } })],
    ['of a key that is not registered', () => ({ key: stranger })],
    ['that names a key that is not registered', () => ({ header: { kid: stranger.kid }, key: stranger })],
    ['of another type', () => ({ header: { typ: 'entity-statement+jwt' } })],
    ['with an extension', () => ({ header: { crit: ['b64'], b64: true } })],
  ])('is refused with an assertion %s', async (_what, tampering) => {
    expect(await refusal(ask(formOf(await assertionOf(someone, tampering()))))).toBe('401 invalid_client');
  });

  it('is refused without an algorithm, or with one for shared secrets', async () => {
    const [, claims] = (await assertionOf(someone)).split('.');
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: someone.key.kid })).toString('base64url');
      expect(await refusal(ask(formOf(`${header}.${claims}.AAAA`)))).toBe('401 invalid_client');
    }
  });

  it.each<[string, string, (form: URLSearchParams) => void]>([
    ['400 invalid_request', 'without a grant type', (form) => form.delete('grant_type')],
    ['400 unsupported_grant_type', 'with another grant', (form) => form.set('grant_type', 'password')],
    ['400 invalid_request', 'with a parameter twice', (form) => form.append('grant_type', 'client_credentials')],
    ['400 invalid_request', 'with a secret besides', (form) => form.set('client_secret', 'x')],
    ['400 invalid_scope', 'with a scope', (form) => form.set('scope', 'openid')],
    ['401 invalid_client', 'without an assertion', (form) => form.delete('client_assertion')],
    ['401 invalid_client', 'with one of another type', (form) => form.set('client_assertion_type', 'x')],
    ['401 invalid_client', 'with the name of somebody else', (form) => form.set('client_id', 'https://x.example')],
    [
      '400 invalid_request',
      'for an authority that does not vouch',
      (form) => form.set('authority', 'https://x.example'),
    ],
  ])('says %s %s', async (expected, _what, change) => {
    const form = formOf(await assertionOf(someone));
    change(form);
    expect(await refusal(ask(form))).toBe(expected);
  });

  it('reads forms of some size only, and nothing besides a form', async () => {
    const json = { headers: { 'content-type': 'application/json' } };
    expect(await refusal(ask('{}', json))).toBe('400 invalid_request');
    expect(await refusal(ask(formOf('x'.repeat(40_000))))).toBe('400 invalid_request');
    const basic = { headers: { authorization: 'Basic eDp5' } };
    expect(await refusal(ask(formOf(await assertionOf(someone)), basic))).toBe('400 invalid_request');
  });

  it('is for one record, where several authorities vouch for the entity', async () => {
    const other = await api.service.authority();
    const { entityIdentifier } = someone.entity;
    const jwks = { keys: [someone.key.jwk] };
    const second = await api.service.entity(await api.service.organisation(other), { entityIdentifier, jwks });
    expect(await refusal(ask(formOf(await assertionOf(someone))))).toBe('400 invalid_request');
    const response = await ask(formOf(await assertionOf(someone), { authority: other.entityIdentifier }));
    const { access_token: secret } = (await response.json()) as { access_token: string };
    const client = new ApiClient(api.service.app, { authorization: `Bearer ${secret}` });
    expect((await client.get('/api/v1/whoami')).body.entityId).toBe(second.id);
    expect(refusalOf(await client.get(`/api/v1/entities/${someone.entity.id}`))).toBe('404 not_found');
  });

  it('takes an assertion once, between two nodes', async () => {
    await using first = await startTestService('postgresql');
    const { url = '' } = first.database;
    await using second = await TestService.start(await connectDatabase({ url }), {});
    const caller = await member(first);
    const now = first.clock.now();
    const form = formOf(await assertionOf(caller, {}, now));
    const answers = [ask(form, {}, first), ask(form, {}, second)];
    expect((await Promise.all(answers)).map(({ status }) => status).toSorted()).toEqual([200, 401]);
    expect(await refusal(ask(form, {}, second))).toBe('401 invalid_client');
    const client = await tokenOf(caller, first);
    await transitionEntity(second.context(), caller.entity.id, 'suspend', 'x');
    expect((await client.get('/api/v1/whoami')).status).toBe(401);
  });

  it('ends guessing before it costs much', async () => {
    await using service = await startTestService('embedded');
    const statuses = new Set<number>();
    for (let count = 0; count < 301; count++) statuses.add((await ask(formOf('x'), {}, service)).status);
    const last = await ask(formOf('x'), {}, service);
    expect([...statuses]).toEqual([401, 429]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
