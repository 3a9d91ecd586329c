/** The server of examples/registration: takes down whom Holdfast states fresh and active, and nobody else. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistrationServer, type RegistrationServer } from '../../examples/registration/registration-server.ts';
import { verifySoftwareStatement } from '../../examples/registration/software-statement.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { publicJwk } from '../support/credentials.ts';
import { signJwt, testKey } from '../support/keys.ts';
import { startTestService, type TestService } from '../support/service.ts';

const REDIRECT_URI = 'https://rp.example/callback';

let service: TestService;
let authority: Authority;
let entity: Entity;
let bearer: { authorization: string };
let registration: RegistrationServer;
let server: Server;
let origin: string;

beforeAll(async () => {
  service = await startTestService('embedded');
  authority = await service.authority();
  const organisation = await service.organisation(authority);
  const metadata = { openid_relying_party: { redirect_uris: [REDIRECT_URI], client_name: 'Portal' } };
  entity = await service.entity(organisation, { metadata });
  await addCredential(service.context(), entity.id, { usage: 'signing', material: publicJwk() });
  bearer = await service.bearer(['auditor']);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  server = createServer((incoming, outgoing) => registration.provider.callback()(incoming, outgoing));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  registration = createRegistrationServer({
    issuer: origin,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'tokens', use: 'sig', alg: 'ES256' }] },
    authority: {
      entityIdentifier: authority.entityIdentifier,
      jwks: (await service.jwks(authority)) as JSONWebKeySet,
    },
    fetch: (url) => service.fetch(url),
    now: () => new Date(service.clock.now() * 1000),
  });
});
afterAll(async () => {
  server.close();
  await service[Symbol.asyncDispose]();
});

async function statement(): Promise<string> {
  const path = `http://localhost:8080/api/v1/entities/${entity.id}/assertion`;
  const response = await service.fetch(path, { headers: bearer });
  return ((await response.json()) as { assertion: string }).assertion;
}

async function register(softwareStatement: unknown, more: object = {}): Promise<[number, Record<string, unknown>]> {
  const token = await registration.initialAccessToken();
  const response = await fetch(`${origin}/reg`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ software_statement: softwareStatement, ...more }),
  });
  return [response.status, (await response.json()) as Record<string, unknown>];
}

const REFUSED = [400, { error: 'unapproved_software_statement' }];

it('[F14] refuses an old iat of whatever life, and takes it before', async () => {
  const key = await testKey('ES256', 7);
  const iss = 'https://authority.example';
  const iat = service.clock.now();
  const [exp, jwks] = [iat + 86_400, { keys: [key.jwk] }];
  const configuration = await signJwt(key, 'entity-statement+jwt', { iss, sub: iss, iat, exp, jwks });
  const said = { software_id: 'x', software_client_id: 'https://rp.example', software_status: 'Active' };
  const uri = 'https://keys.example/x.jwks';
  const addresses = { jwks_uri: uri, software_jwks_transport_uri: uri };
  const organisation = { org_id: 'y', org_status: 'Active', ...addresses };
  const jwt = await signJwt(key, 'software-statement+jwt', { iss, iat, exp, jti: 'z', ...said, ...organisation });
  const at = (seconds: number) =>
    verifySoftwareStatement(jwt, {
      authority: { entityIdentifier: iss, jwks: jwks as JSONWebKeySet },
      fetch: async (url) => new Response(url.endsWith('.jwks') ? JSON.stringify(jwks) : configuration),
      now: () => new Date((iat + seconds) * 1000),
    });
  await expect(at(600)).resolves.toMatchObject({ software_id: 'x' });
  await expect(at(631)).rejects.toThrow('"iat" claim timestamp check failed');
});

describe('[F14] a server where applications register', () => {
  it('takes down what a fresh statement says, whatever else is asked for', async () => {
    const jwt = await statement();
    const { jwks_uri } = decodeJwt(jwt);
    const [status, client] = await register(jwt, { client_name: 'A bank', jwks_uri: 'https://evil.example/jwks' });
    expect([status, client]).toMatchObject([
      201,
      { client_name: 'Portal', redirect_uris: [REDIRECT_URI], jwks_uri, token_endpoint_auth_method: 'private_key_jwt' },
    ]);
  });

  it('refuses redirect_uris that the statement does not name', async () => {
    expect(await register(await statement(), { redirect_uris: ['https://evil.example/'] })).toMatchObject(REFUSED);
  });

  it('refuses one that was signed more than ten minutes ago', async () => {
    const jwt = await statement();
    service.clock.advance(599);
    expect((await register(jwt))[0]).toBe(201);
    service.clock.advance(60);
    expect(await register(jwt)).toMatchObject(REFUSED);
    expect((await register(await statement()))[0]).toBe(201);
  });

  it('refuses one that somebody else signed, none at all, and anything else that the authority signed', async () => {
    const claims = { ...decodeJwt(await statement()) };
    const foreign = await signJwt(await testKey('ES256', 99), 'software-statement+jwt', claims);
    expect(await register(foreign)).toMatchObject(REFUSED);
    expect(await register(undefined)).toMatchObject([400, { error: 'invalid_software_statement' }]);
    const configuration = await (await service.ask(authority, 'configuration')).text();
    expect(await register(configuration)).toMatchObject(REFUSED);
  });

  it('refuses that of an application that was suspended since, and gets no new one', async () => {
    const jwt = await statement();
    await transitionEntity(service.context(), entity.id, 'suspend', 'by a test');
    expect(await register(jwt)).toMatchObject(REFUSED);
    expect(await statement()).toBeUndefined();
    await transitionEntity(service.context(), entity.id, 'reinstate', 'by a test');
    expect((await register(await statement()))[0]).toBe(201);
  });
});
