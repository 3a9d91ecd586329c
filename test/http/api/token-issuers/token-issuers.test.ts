import { hash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { addCredential } from '../../../../src/registry/credentials/add-credential.ts';
import { removeTokenIssuer } from '../../../../src/registry/token-issuers/remove-token-issuer.ts';
import { openClientSecret } from '../../../../src/signer/client-secrets.ts';
import { UnsealError } from '../../../../src/signer/sealing.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { clientCertificate } from '../../../support/credentials.ts';
import { enforcementPoint } from '../../../support/enforcement-points.ts';
import { NOW } from '../../../support/federation.ts';
import { testKey } from '../../../support/keys.ts';
import { freshIdentifier, freshJwks, TEST_MASTER_KEY } from '../../../support/registry.ts';
import { tokenIssuer } from '../../../support/token-issuers.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/token-issuers';
const { id: authorityId } = await api.service.authority();
const jwks = await freshJwks();
const SECRET = 'correct horse: battery & staple';
const ENDPOINT = 'https://as.example/introspect';
const introspection = { endpoint: ENDPOINT, clientId: 'holdfast', isSigned: false };
const SEEN = { 'if-match': '*' };

const wanted = (settings: Record<string, unknown> = {}) => ({
  ...{ authorityId, issuer: freshIdentifier('as'), audiences: ['https://api.example'] },
  ...settings,
});

async function added(settings: Record<string, unknown>) {
  const { status, body } = await api.admin.post(PATH, wanted(settings));
  expect(status, JSON.stringify(body)).toBe(201);
  return { path: `${PATH}/${body.id}`, body };
}

/** null: there is none. */
async function sealedOf(id: string) {
  const { rows } = await api.service.db.execute<{ sealed: Uint8Array }>(
    sql`SELECT sealed_secret AS sealed FROM token_issuers WHERE id = ${id}`,
  );
  return rows[0]?.sealed as Uint8Array;
}

describe('POST', () => {
  it('201: lists an issuer once an authority', async () => {
    const input = wanted({ jwks });
    const { status, headers, etag, body } = await api.admin.post(PATH, input);
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    const rest = { jwksUri: null, introspection: null, acceptsUntypedTokens: false };
    expect(body).toMatchObject({ ...input, ...rest });
    expect(refusalOf(await api.admin.post(PATH, input))).toBe('409 token_issuer_exists');
    const elsewhere = { ...input, authorityId: (await api.service.authority()).id };
    expect((await api.admin.post(PATH, elsewhere)).status).toBe(201);
  });

  it('[F43] 201: keeps the secret sealed for this endpoint and client, and shows it nowhere', async () => {
    const { path, body } = await added({ introspection, clientSecret: SECRET });
    const sealed = await sealedOf(body.id);
    const place = { issuerId: body.id, introspection };
    expect(openClientSecret(TEST_MASTER_KEY, sealed, place)).toBe(SECRET);
    const elsewhere = { ...place, introspection: { ...introspection, endpoint: 'https://evil.example/' } };
    expect(() => openClientSecret(TEST_MASTER_KEY, sealed, elsewhere)).toThrow(UnsealError);
    expect(Buffer.from(sealed).includes(SECRET)).toBe(false);
    const read = await api.admin.get(path);
    const list = await api.admin.get(`${PATH}?issuer=${encodeURIComponent(body.issuer)}`);
    const changed = await api.admin.patch(path, { clientSecret: `${SECRET}!` }, SEEN);
    expect(openClientSecret(TEST_MASTER_KEY, await sealedOf(body.id), place)).toBe(`${SECRET}!`);
    const { body: audit } = await api.auditor.get(`/api/v1/audit?subjectId=${body.id}`);
    expect(audit.items.map(({ action }: { action: string }) => action)).toEqual([
      ...['token_issuer.add', 'token_issuer.update'],
    ]);
    for (const answer of [body, read.body, list.body, changed.body, audit]) {
      const words = JSON.stringify(answer);
      expect(words).toContain(body.issuer);
      for (const word of ['staple', 'sealed', Buffer.from(sealed).toString('base64').slice(20, 40)]) {
        expect(words).not.toContain(word);
      }
    }
    expect((await api.admin.delete(path, { 'if-match': '"2"' })).status).toBe(204);
    expect(await sealedOf(body.id)).toBeNull();
    expect(refusalOf(await api.admin.get(path))).toBe('404 not_found');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no way to verify', {}, '/introspection'],
    ['keys twice', { jwks, jwksUri: 'https://as.example/jwks' }, '/jwksUri'],
    ['no URL of keys', { jwksUri: 'http://as.example/jwks' }, '/jwksUri'],
    [
      'no endpoint',
      { introspection: { ...introspection, endpoint: 'https://u:p@as.example' }, clientSecret: 'x' },
      '/introspection/endpoint',
    ],
    ['no secret', { introspection }, '/clientSecret'],
    ['a secret for nothing', { jwks, clientSecret: 'x' }, '/clientSecret'],
    ['a secret with line breaks', { introspection, clientSecret: 'x\n' }, '/clientSecret'],
    [
      'signatures of nobody',
      { introspection: { ...introspection, isSigned: true }, clientSecret: 'x' },
      '/introspection/isSigned',
    ],
    ['no audience', { jwks, audiences: [] }, '/audiences'],
    ['an audience twice', { jwks, audiences: ['x', 'x'] }, '/audiences'],
    ['a query', { jwks, issuer: 'https://as.example/?x' }, '/issuer'],
    ['no https', { jwks, issuer: 'http://as.example' }, '/issuer'],
  ])('400: refuses %s', async (_, settings, field) => {
    const answer = await api.admin.post(PATH, wanted(settings));
    expect(refusalOf(answer)).toBe(`400 validation_failed ${field}`);
    expect(JSON.stringify(answer.body)).not.toContain('u:p');
  });

  it('400: refuses private keys, and an Idempotency-Key', async () => {
    const { privateJwk } = await testKey('ES256', 71);
    const answer = await api.admin.post(PATH, wanted({ jwks: { keys: [privateJwk] } }));
    expect(refusalOf(answer)).toBe('400 validation_failed /jwks/keys/0');
    const repeatable = await api.admin.post(PATH, wanted({ jwks }), { 'idempotency-key': 'k' });
    expect(refusalOf(repeatable)).toBe('400 validation_failed /header/Idempotency-Key');
  });

  it('403, 404: for admins, of an authority that there is', async () => {
    expect(refusalOf(await api.registrar.post(PATH, wanted({ jwks })))).toBe('403 role_missing');
    const nobody = { ...wanted({ jwks }), authorityId: NO_SUCH_ID };
    expect(refusalOf(await api.admin.post(PATH, nobody))).toBe('404 not_found');
  });
});

describe('PATCH', () => {
  it('200: goes over to other keys; what is so already changes nothing', async () => {
    const { path } = await added({ jwks });
    const changes = { jwks: null, jwksUri: 'https://as.example/jwks', acceptsUntypedTokens: true };
    const { status, etag, body } = await api.admin.patch(path, changes, { 'if-match': '"1"' });
    expect([status, etag]).toEqual([200, '"2"']);
    expect(body).toMatchObject(changes);
    const seq = await api.service.seq();
    expect((await api.admin.patch(path, changes, SEEN)).etag).toBe('"2"');
    expect(await api.service.seq()).toBe(seq);
  });

  it('[F43] 400: sends a secret nowhere but where it was given for', async () => {
    const { path, body } = await added({ jwks, introspection, clientSecret: SECRET });
    for (const change of [{ endpoint: 'https://evil.example/' }, { clientId: 'other' }]) {
      const moved = { introspection: { ...introspection, ...change } };
      expect(refusalOf(await api.admin.patch(path, moved, SEEN))).toBe('400 validation_failed /clientSecret');
    }
    const signed = { introspection: { ...introspection, isSigned: true } };
    expect((await api.admin.patch(path, signed, SEEN)).body).toMatchObject(signed);
    expect(openClientSecret(TEST_MASTER_KEY, await sealedOf(body.id), { issuerId: body.id, introspection })).toBe(
      SECRET,
    );
    expect((await api.admin.patch(path, { introspection: null }, SEEN)).status).toBe(200);
    expect(await sealedOf(body.id)).toBeNull();
    expect(refusalOf(await api.admin.patch(path, signed, SEEN))).toBe('400 validation_failed /clientSecret');
  });

  it('400, 412, 428: its issuer stays; wants to know what was seen', async () => {
    const { path } = await added({ jwks });
    expect(refusalOf(await api.admin.patch(path, { issuer: 'https://x.example' }, SEEN))).toBe(
      '400 validation_failed /issuer',
    );
    expect(refusalOf(await api.admin.patch(path, { jwks: null }, SEEN))).toBe('400 validation_failed /introspection');
    const audiences = { audiences: ['y'] };
    expect(refusalOf(await api.admin.patch(path, audiences, { 'if-match': '"9"' }))).toBe('412 version_mismatch');
    expect(refusalOf(await api.admin.patch(path, audiences))).toBe('428 version_required');
  });
});

describe('[F43] a token that an enforcement point passes on', () => {
  it('is asked about at its issuer with the sealed secret, and counts with its certificate alone', async () => {
    const { service } = api;
    const authority = await service.authority();
    const { certificate } = clientCertificate();
    const entity = await service.entity(await service.organisation(authority));
    await addCredential(service.context(), entity.id, { usage: 'transport', material: { certificate } });
    const x5tS256 = hash('sha256', new X509Certificate(certificate).raw, 'base64url');
    const asked: unknown[] = [];
    const cnf = { 'x5t#S256': x5tS256 };
    const server = createServer(async (incoming, outgoing) => {
      asked.push([incoming.headers.authorization, await text(incoming)]);
      outgoing.setHeader('content-type', 'application/json');
      outgoing.end(JSON.stringify({ active: true, aud: 'payments', client_id: 'x', exp: NOW + 60, cnf }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://localhost:${port}/introspect`;
    const settings = { jwks: null, introspection: { ...introspection, endpoint }, clientSecret: SECRET };
    const { id } = await tokenIssuer(service, authority, { audiences: ['payments'], ...settings });
    const { token } = await enforcementPoint(service, authority, { isTokenRequired: true });
    const ask = async (body: object) =>
      (await api.anonymous.post('/api/v1/admission', body, { 'holdfast-enforcement-point': token })).body;
    expect(await ask({ certificate })).toMatchObject({ decision: 'deny', reasons: ['token_missing'] });
    expect(await ask({ certificate, token: 'opaque' })).toMatchObject({ decision: 'allow', reasons: [] });
    const secret = 'correct+horse%3A+battery+%26+staple';
    expect(asked).toEqual([[`Basic ${btoa(`holdfast:${secret}`)}`, 'token=opaque&token_type_hint=access_token']]);
    cnf['x5t#S256'] = 'x'.repeat(43);
    expect(await ask({ certificate, token: 'opaque' })).toMatchObject({ decision: 'deny', reasons: ['cnf_mismatch'] });
    await removeTokenIssuer(service.context(), id);
    expect((await ask({ certificate, token: 'opaque' })).reasons).toEqual(['token_issuer_unknown']);
    expect(asked).toHaveLength(2);
    server.close();
    server.closeAllConnections();
  });
});
