import { once } from 'node:events';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../../src/registry/authorities/update-authority.ts';
import { addCredential } from '../../../../src/registry/credentials/add-credential.ts';
import type { Credential } from '../../../../src/registry/credentials/credential.ts';
import { holdCredential } from '../../../../src/registry/credentials/hold-credential.ts';
import { replaceCredential } from '../../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { removeEntityKey } from '../../../../src/registry/entities/keys/remove-entity-key.ts';
import { transitionEntity } from '../../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import { removeTrustListEntry } from '../../../../src/registry/trust-lists/remove-trust-list-entry.ts';
import { openEntrance } from '../../../../src/start-entrance.ts';
import { leafOf, root } from '../../../support/certificate-paths.ts';
import { certificate, ecKey, pem } from '../../../support/certificates.ts';
import { freePort } from '../../../support/cli.ts';
import { clientCertificate } from '../../../support/credentials.ts';
import { testKey } from '../../../support/keys.ts';
import { startTestService, type TestService } from '../../../support/service.ts';
import { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../../../support/tls.ts';
import { listed } from '../../../support/trust-lists.ts';

const TOKEN_PATH = '/api/v1/oauth/token';
const TOKEN_URL = `http://localhost:8080${TOKEN_PATH}`;

/** What a client connects with: a certificate and its key, PEM. */
interface Identity {
  cert: string;
  key: string;
}

interface Partner {
  authority: Authority;
  entity: Entity;
  credential: Credential;
  identity: Identity;
}

interface Answer {
  status: number;
  challenge: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a body is read by tests that know what they asked for
  body: any;
}

let stack: AsyncDisposableStack;
let service: TestService;
let plainPort: number;
let mtlsPort: number;

/** The ports as the service opens them, and behind them the service as it is composed. */
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('embedded'));
  const folder = stack.use(new TemporaryFolder());
  [plainPort, mtlsPort] = [await freePort(), await freePort()];
  const { config } = loadConfig({
    PORT: String(plainPort),
    HOLDFAST_MTLS_PORT: String(mtlsPort),
    HOLDFAST_MTLS_CERT_FILE: folder.write('cert.pem', TEST_TLS_CERTIFICATE),
    HOLDFAST_MTLS_KEY_FILE: folder.write('key.pem', TEST_TLS_KEY),
  });
  const entrance = stack.use(await openEntrance(config));
  entrance.admit(service.app);
});
afterAll(() => stack.disposeAsync());

function identityOf(key = ecKey(), cert = clientCertificate(key).certificate): Identity {
  return { cert, key: key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

/** An active entity with a transport certificate. */
async function partner(identity = identityOf(), at?: Authority): Promise<Partner> {
  const authority = at ?? (await service.authority());
  const entity = await service.entity(await service.organisation(authority));
  const material = { certificate: identity.cert };
  const credential = await addCredential(service.context(), entity.id, { usage: 'transport', material });
  return { authority, entity, credential, identity };
}

/** Where a request goes: the port that asks for certificates, with one or without, or the other port. */
type Way = Identity | 'no certificate' | 'plain port';

async function send(way: Way, path: string, { form, token }: { form?: URLSearchParams; token?: string }) {
  const headers: Record<string, string> = {
    ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const options = { host: '127.0.0.1', path, headers, method: form ? 'POST' : 'GET' };
  const identity = typeof way === 'string' ? {} : way;
  const asked =
    way === 'plain port'
      ? request({ ...options, port: plainPort, agent: false })
      : requestTls({ ...options, ...identity, port: mtlsPort, ca: TEST_TLS_CERTIFICATE, agent: false });
  asked.end(form?.toString());
  const [response] = await once(asked, 'response');
  const text = Buffer.concat(await response.toArray()).toString();
  return {
    status: response.statusCode,
    challenge: response.headers['www-authenticate'],
    body: JSON.parse(text),
  } as Answer;
}

const formOf = (clientId: string, more: Record<string, string> = {}) =>
  new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...more });

const ask = (way: Way, clientId: string, more?: Record<string, string>) =>
  send(way, TOKEN_PATH, { form: formOf(clientId, more) });

async function tokenOf({ identity, entity }: Partner): Promise<string> {
  const { status, body } = await ask(identity, entity.entityIdentifier);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.access_token;
}

const whoami = (way: Way, token: string) => send(way, '/api/v1/whoami', { token });

const refusal = ({ status, body }: Answer) => `${status} ${body.error ?? body.code}`;

let someone: Partner;
beforeEach(async () => {
  someone = await partner();
});

describe('[F41] a partner at the port that asks for certificates', () => {
  it('gets a token of ten minutes with its transport certificate, for connections with it', async () => {
    const { entity, identity } = someone;
    const { status, body } = await ask(identity, entity.entityIdentifier);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^holdfast\.entity\.[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 600,
    });
    expect(await whoami(identity, body.access_token)).toMatchObject({
      status: 200,
      body: { kind: 'entity', id: entity.entityIdentifier, roles: ['technical-contact'], entityId: entity.id },
    });
    service.clock.advance(600);
    expect(refusal(await whoami(identity, body.access_token))).toBe('401 unauthenticated');
  });

  it('token_bound: on any other connection it says where the token counts', async () => {
    const other = await partner(identityOf(), someone.authority);
    const token = await tokenOf(someone);
    for (const way of [other.identity, identityOf(), 'no certificate', 'plain port'] as const) {
      const answer = await whoami(way, token);
      expect(refusal(answer)).toBe('401 token_bound');
      expect(answer.challenge).toBe('Bearer realm="holdfast", error="invalid_token"');
      expect(answer.body.detail).toContain('connect with that to the port that asks for certificates');
    }
    expect(refusal(await whoami('plain port', 'holdfast.entity.x'))).toBe('401 unauthenticated');
    expect((await whoami(someone.identity, token)).status).toBe(200);
  });

  it('is nobody in particular with it where readers are told from others', async () => {
    const headers = { authorization: `Bearer ${await tokenOf(someone)}` };
    const query = { sub: 'https://nobody.example', trust_anchor: someone.authority.entityIdentifier };
    const [withToken, without] = await Promise.all(
      [{ headers }, {}].map((init) => service.ask(someone.authority, 'resolve', query, init)),
    );
    expect(withToken?.status).toBe(without?.status);
    expect(service.failures).toEqual([]);
  });

  it.each<[string, (someone: Partner) => Promise<unknown>]>([
    ['its application is suspended', ({ entity }) => transitionEntity(service.context(), entity.id, 'suspend', 'x')],
    [
      'its organisation is suspended',
      ({ entity }) => transitionOrganisation(service.context(), entity.organisationId, 'suspend', 'x'),
    ],
    [
      'the certificate is revoked',
      ({ credential }) =>
        revokeCredential(service.context(), credential.id, { reasonCode: 'key_compromise', reason: 'x' }),
    ],
    ['the certificate is on hold', ({ credential }) => holdCredential(service.context(), credential.id, 'hold', 'x')],
    [
      'another certificate has taken its place',
      ({ credential }) =>
        replaceCredential(service.context(), credential.id, { material: clientCertificate(), until: null }),
    ],
    [
      'the authority believes other issuers only',
      ({ authority }) => updateAuthority(service.context(), authority.id, { listedPurposes: ['transport'] }),
    ],
  ])('ends at once when %s, and no other is granted', async (_what, end) => {
    const { identity, entity } = someone;
    const token = await tokenOf(someone);
    await end(someone);
    expect(refusal(await whoami(identity, token))).toBe('401 unauthenticated');
    expect(refusal(await ask(identity, entity.entityIdentifier))).toBe('401 invalid_client');
  });

  it('counts below the trust list for as long as its issuer is on it', async () => {
    const [authority, issuer, key] = [await service.authority(), root(), ecKey()];
    const entry = await listed(service, authority, issuer.der);
    await updateAuthority(service.context(), authority.id, { listedPurposes: ['transport'] });
    const below = await partner(identityOf(key, pem(leafOf(issuer, { key }))), authority);
    const token = await tokenOf(below);
    expect((await whoami(below.identity, token)).status).toBe(200);
    await removeTrustListEntry(service.context(), entry.id);
    expect(refusal(await whoami(below.identity, token))).toBe('401 unauthenticated');
  });

  it('may connect with the certificate that a Federation Entity Key came with, until another lists it, too', async () => {
    const key = ecKey();
    const der = certificate({ key });
    const identity = identityOf(key, pem(der));
    const { kty = '', ...members } = key.publicKey.export({ format: 'jwk' });
    const certified = { kty, ...members, kid: 'certified', alg: 'ES256', x5c: [der.toString('base64')] };
    const jwks = { keys: [certified, (await testKey('ES256', 7000)).jwk] };
    const entity = await service.entity(await service.organisation(someone.authority), { jwks });
    const token = await tokenOf({ ...someone, entity, identity });
    const isKnown = async () => (await whoami(identity, token)).body.entityId === entity.id;
    expect(await isKnown()).toBe(true);
    const copyist = await service.entity(await service.organisation(someone.authority), { jwks });
    expect(refusal(await whoami(identity, token))).toBe('401 unauthenticated');
    expect(refusal(await ask(identity, copyist.entityIdentifier))).toBe('401 invalid_client');
    await removeEntityKey(service.context(), copyist.id, { kid: 'certified', reason: 'x' });
    expect(await isKnown()).toBe(true);

    const signing = { usage: 'signing', material: { certificate: pem(certificate({ key, serial: [7] })) } } as const;
    const { id } = await addCredential(service.context(), entity.id, signing);
    expect(await isKnown()).toBe(true);
    await revokeCredential(service.context(), id, { reasonCode: 'key_compromise', reason: 'x' });
    expect(refusal(await whoami(identity, token))).toBe('401 unauthenticated');
  });

  it('invalid_client: nobody is whom his certificate does not admit', async () => {
    const { entity, authority, identity } = someone;
    const other = await partner(identityOf(), authority);
    const { entityIdentifier } = entity;
    for (const way of [other.identity, identityOf(), 'no certificate', 'plain port'] as const) {
      expect(refusal(await ask(way, entityIdentifier))).toBe('401 invalid_client');
    }
    for (const clientId of ['https://nobody.example', 'x', `${entityIdentifier}/`]) {
      expect(refusal(await ask(identity, clientId))).toBe('401 invalid_client');
    }
    const pending = await service.entity(await service.organisation(authority), {}, 'pending');
    const key = ecKey();
    const material = { certificate: clientCertificate(key).certificate };
    await addCredential(service.context(), pending.id, { usage: 'transport', material });
    const early = identityOf(key, material.certificate);
    expect(refusal(await ask(early, pending.entityIdentifier))).toBe('401 invalid_client');
  });

  it('proves itself in one way, and says who it is', async () => {
    const { entity, identity, authority } = someone;
    const { entityIdentifier } = entity;
    expect(refusal(await ask(identity, ''))).toBe('400 invalid_request');
    expect(refusal(await ask(identity, entityIdentifier, { client_secret: 'x' }))).toBe('400 invalid_request');
    expect(refusal(await ask(identity, entityIdentifier, { client_assertion: '' }))).toBe('401 invalid_client');
    const elsewhere = { authority: 'https://elsewhere.example' };
    expect(refusal(await ask(identity, entityIdentifier, elsewhere))).toBe('400 invalid_request');
    const here = await ask(identity, entityIdentifier, { authority: authority.entityIdentifier });
    expect(here.status).toBe(200);
  });

  it('gets a token that is bound to nothing by an assertion, whatever it connects with', async () => {
    const key = await testKey('ES256', 7001);
    const entity = await service.entity(await service.organisation(someone.authority), { jwks: { keys: [key.jwk] } });
    const assertion = await new SignJWT({ jti: 'once' })
      .setProtectedHeader({ alg: key.alg, kid: key.kid })
      .setIssuer(entity.entityIdentifier)
      .setSubject(entity.entityIdentifier)
      .setAudience(TOKEN_URL)
      .setExpirationTime(service.clock.now() + 60)
      .sign(key.privateKey);
    const { status, body } = await ask(someone.identity, entity.entityIdentifier, {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    expect(status).toBe(200);
    for (const way of [someone.identity, 'no certificate', 'plain port'] as const) {
      expect((await whoami(way, body.access_token)).body.entityId).toBe(entity.id);
    }
  });
});
