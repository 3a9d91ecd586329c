/** The clients of others on npm resolve entities under our Trust Anchor, against the service as operators run it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveTrustChains } from '@openid-federation/core';
import { FederationClient, type Jwk } from '@sphereon/openid-federation-client';
import { compactVerify, importJWK, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf } from '../support/answers.ts';
import { freePort } from '../support/cli.ts';
import { copyMigratedDataDirectory } from '../support/databases.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { enrolThrough, ifMatch, organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';

let folder: string;
let service: ServiceProcess;
let server: FederationServer;
let trustAnchor: string;
let intermediate: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-clients-'));
  await copyMigratedDataDirectory(folder);
  const port = await freePort();
  service = await ServiceProcess.start({ port, baseUrl: `http://localhost:${port}`, dataDir: folder });
  trustAnchor = service.baseUrl;
  intermediate = `${trustAnchor}/lower`;
  const { body } = await service.api('GET', '/authorities');
  const lower = await service.api('POST', '/authorities', {
    entityIdentifier: intermediate,
    name: 'Lower',
    authorityHints: [trustAnchor],
  });
  expect(lower.status).toBe(201);
  // Neither client reads trust_marks as the final standard has them: these entities have none.
  server = await serveFederation(
    {
      shop: { superiors: [trustAnchor], metadata: relyingParty('Shop') },
      branch: { superiors: [intermediate], metadata: relyingParty('Branch') },
      suspended: { superiors: [trustAnchor], metadata: relyingParty('Gone') },
    },
    { clock: systemClock },
  );
  const organisationId = await organisationThrough(service, body.items[0].id);
  await enrolThrough(service, organisationId, intermediate);
  await enrolThrough(service, await organisationThrough(service, lower.body.id), server.federation.id('branch'));
  await enrolThrough(service, organisationId, server.federation.id('shop'));
  const { id } = await enrolThrough(service, organisationId, server.federation.id('suspended'));
  const read = await service.api('GET', `/entities/${id}`);
  const answer = await service.api('POST', `/entities/${id}/suspend`, { reason: 'left' }, ifMatch(read));
  expect(answer.status).toBe(200);
});

afterAll(async () => {
  for (const resource of [server, service]) await resource?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function relyingParty(clientName: string): Record<string, object> {
  return {
    openid_relying_party: {
      client_name: clientName,
      redirect_uris: ['https://shop.example/callback'],
      response_types: ['code'],
      client_registration_types: ['automatic'],
    },
  };
}

async function verifies(jwt: string, jwk: JWK): Promise<boolean> {
  await compactVerify(jwt, await importJWK(jwk));
  return true;
}

describe('@openid-federation/core', () => {
  const resolve = (name: string): ReturnType<typeof resolveTrustChains> =>
    resolveTrustChains({
      entityId: server.federation.id(name),
      trustAnchorEntityIds: [trustAnchor],
      verifyJwtCallback: ({ jwt, jwk }) => verifies(jwt, jwk as JWK),
    });

  it('resolves an active entity, with its metadata and the configuration of our Trust Anchor', async () => {
    const [chain, ...others] = await resolve('shop');
    expect(others).toEqual([]);
    expect(chain?.trustAnchorEntityConfiguration.iss).toBe(trustAnchor);
    expect(chain?.rawLeafEntityConfiguration.sub).toBe(server.federation.id('shop'));
    expect(chain?.resolvedLeafMetadata?.openid_relying_party).toMatchObject({ client_name: 'Shop' });
  });

  it('resolves an entity below an Intermediate of ours', async () => {
    const [chain] = await resolve('branch');
    expect(chain?.chain.map(({ iss }) => iss)).toContain(intermediate);
    expect(chain?.resolvedLeafMetadata?.openid_relying_party).toMatchObject({ client_name: 'Branch' });
  });

  it('takes our refusal to vouch for a suspended entity for an error', async () => {
    await expect(resolve('suspended')).rejects.toThrow("'application/json' does not equal expected content-type");
  });
});

describe('@sphereon/openid-federation-client', () => {
  const client = (): FederationClient =>
    new FederationClient({ verify: (jwt, key) => verifies(jwt, plain(key)) }, null);

  /** Its keys are objects of Kotlin, whose members are getters. */
  const plain = ({ kty, crv, x, y, n, e, alg, kid }: Jwk): JWK => {
    const members = Object.entries({ kty, crv, x, y, n, e, alg, kid });
    return Object.fromEntries(members.filter(([, value]) => value !== undefined && value !== null)) as JWK;
  };
  const issuers = async (name: string): Promise<unknown[]> => {
    const { trustChain } = await client().resolveTrustChain(server.federation.id(name), [trustAnchor]);
    return (trustChain ?? []).map((jwt) => claimsOf(jwt)['iss']);
  };

  it('resolves an active entity up to our Trust Anchor', async () => {
    expect(await issuers('shop')).toEqual([server.federation.id('shop'), trustAnchor, trustAnchor]);
  });

  it('resolves an entity below an Intermediate of ours', async () => {
    expect(await issuers('branch')).toEqual([server.federation.id('branch'), intermediate, trustAnchor, trustAnchor]);
  });

  it('finds no chain for a suspended entity', async () => {
    expect(await issuers('suspended')).toEqual([]);
  });
});

describe('oauth4webapi', () => {
  /** Gets a token with the key that the entity publishes. @see RFC 7523 §2.2 */
  const grant = async (name: string): Promise<oauth.TokenEndpointResponse> => {
    const url = `${service.baseUrl}/api/v1/oauth/token`;
    const authorizationServer = { issuer: url, token_endpoint: url };
    const client = { client_id: server.federation.id(name) };
    const [key] = server.federation.entity(name).keys;
    if (key === undefined) throw new Error(`${name} has no key`);
    const answer = await oauth.clientCredentialsGrantRequest(
      authorizationServer,
      client,
      oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }),
      {},
      { [oauth.allowInsecureRequests]: true },
    );
    return await oauth.processClientCredentialsResponse(authorizationServer, client, answer);
  };

  it('F03 gets a token for an active entity by private_key_jwt, which reads that entity', async () => {
    const { access_token: token, token_type: type, expires_in: seconds } = await grant('shop');
    expect([type, seconds]).toEqual(['bearer', 600]);
    const answer = await fetch(`${service.baseUrl}/api/v1/entities`, { headers: { authorization: `Bearer ${token}` } });
    const { items } = (await answer.json()) as { items: { entityIdentifier: string }[] };
    expect(items.map(({ entityIdentifier }) => entityIdentifier)).toEqual([server.federation.id('shop')]);
  });

  it('F03 gets none for a suspended entity, and is told so', async () => {
    const refused = await grant('suspended').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    const { status, response } = refused as oauth.WWWAuthenticateChallengeError;
    expect([status, await response.json()]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })]);
  });
});
