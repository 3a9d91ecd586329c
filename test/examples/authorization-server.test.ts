/** The authorization server of examples/perimeter: bound tokens for whom Holdfast lets in, and for nobody else. */
import { generateKeyPairSync, hash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthorizationServer, type Registry } from '../../examples/perimeter/authorization-server.ts';
import { Holdfast } from '../../examples/perimeter/holdfast.ts';
import { Refusal } from '../../examples/perimeter/refusal.ts';
import { certificate, ecKey, type KeyPair, pem } from '../support/certificates.ts';
import { freePort } from '../support/cli.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../support/tls.ts';

const CLIENT = 'https://rp.example';
const AUDIENCE = 'https://api.example/accounts';

const key = ecKey();
const leaf = certificate({ key });
const published = { ...key.publicKey.export({ format: 'jwk' }), kid: 'transport', x5c: [leaf.toString('base64')] };

/** What a partner may not say of itself does not make another client of it. */
const METADATA = {
  jwks: { keys: [published] },
  scope: 'accounts',
  token_endpoint_auth_method: 'none',
  tls_client_certificate_bound_access_tokens: false,
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://rp.example/callback'],
};

const registry: Registry & { admission: () => Promise<void>; asked: object[] } = {
  asked: [],
  admission: async () => {},
  findClient: async (entityId) => {
    if (entityId === CLIENT) return METADATA;
    throw new Refusal('not resolved: subject_not_active');
  },
  requireAdmission: async (asked) => {
    registry.asked.push(asked);
    await registry.admission();
  },
};

let issuer: string;
let stop: () => void;

beforeAll(async () => {
  const port = await freePort();
  issuer = `https://localhost:${port}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = createAuthorizationServer({
    ...{ issuer, tls: { key: TEST_TLS_KEY, cert: TEST_TLS_CERTIFICATE }, registry },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'tokens', use: 'sig', alg: 'ES256' }] },
    api: { audience: AUDIENCE, scope: 'accounts', tokenFormat: 'jwt' },
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  stop = () => server.close();
});

afterAll(() => stop());

describe('an authorization server that asks Holdfast', () => {
  it('binds a token to the certificate of the connection, and asks about both before', async () => {
    const { status, body } = await askForToken({ key, leaf });
    expect(status, JSON.stringify(body)).toBe(200);
    const x5tS256 = hash('sha256', leaf, 'base64url');
    expect(registry.asked).toEqual([{ entityId: CLIENT, x5tS256 }]);
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256', kid: 'tokens' });
    expect(decodeJwt(body.access_token)).toMatchObject({
      ...{ iss: issuer, aud: AUDIENCE, client_id: CLIENT, scope: 'accounts' },
      cnf: { 'x5t#S256': x5tS256 },
    });
  });

  it('refuses with the reasons of Holdfast', async () => {
    registry.admission = () => Promise.reject(new Refusal('not admitted: suspended'));
    const refused = await askForToken({ key, leaf });
    registry.admission = async () => {};
    expect(refused).toEqual({
      status: 400,
      body: { error: 'access_denied', error_description: 'not admitted: suspended' },
    });
    const unknown = await askForToken({ key, leaf }, 'https://nobody.example');
    expect(unknown).toEqual({
      status: 400,
      body: { error: 'invalid_client', error_description: 'not resolved: subject_not_active' },
    });
  });

  it.each([
    ['another certificate than that of the metadata', () => ({ key, leaf: certificate({ key }) })],
    ['no certificate', () => undefined],
  ])('knows no client by %s', async (_name, identity) => {
    const { status, body } = await askForToken(identity());
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });
});

describe('the question to Holdfast', () => {
  it.each([
    ['nobody answers', undefined, 'admission_unavailable'],
    ['it knows no such enforcement point', { status: 401, body: '{}' }, 'admission_answered_401'],
    ['the answer is none', { status: 200, body: 'allow' }, 'admission_unavailable'],
    ['the answer has no decision', { status: 200, body: '{}' }, 'admission_unavailable'],
    ['it denies', { status: 200, body: '{"decision":"deny","reasons":["suspended"]}' }, 'suspended'],
  ])('is a no when %s', async (_name, answer, reason) => {
    const server = createServer((_incoming, outgoing) => {
      outgoing.writeHead(answer?.status ?? 500).end(answer?.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    if (answer === undefined) server.close();
    const keys = [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'anchor' }];
    const holdfast = new Holdfast({
      ...{ url: `http://127.0.0.1:${port}`, enforcementPointToken: 'hfep_of-a-test' },
      trustAnchor: { entityIdentifier: 'https://anchor.example', jwks: { keys } as never },
    });
    const asked = holdfast.requireAdmission({ entityId: CLIENT, x5tS256: hash('sha256', leaf, 'base64url') });
    await expect(asked).rejects.toThrow(new Refusal(`not admitted: ${reason}`));
    server.close();
  });
});

async function askForToken(
  identity: { key: KeyPair; leaf: Buffer } | undefined,
  client = CLIENT,
): Promise<{ status: number; body: Record<string, string> & { access_token: string } }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const own = identity && {
    cert: pem(identity.leaf),
    key: identity.key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const options = { method: 'POST', agent: false, ca: TEST_TLS_CERTIFICATE, headers, ...own } as const;
  const sent = request(`${issuer}/token`, options, resolve);
  sent.once('error', reject);
  sent.end(new URLSearchParams({ grant_type: 'client_credentials', client_id: client, scope: 'accounts' }).toString());
  const response = await promise;
  return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) };
}
