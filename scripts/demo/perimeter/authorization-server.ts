/** The authorization server of examples/perimeter comes: it asks Holdfast, and is itself a member of the federation. */
import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { type AuthorizationServerRecord, authorizationServerSchema } from '../../../src/cli/offers/offer-records.ts';
import { addOrganisation, approveEntity, enrolEntity } from '../enrolment.ts';
import { freePorts, type Stage } from '../stage.ts';
import { API, SERVER } from './cast.ts';
import { addEnforcementPoint } from './enforcement-point.ts';
import type { Registry } from './registry.ts';

const EXAMPLE = path.join(import.meta.dirname, '../../../examples/perimeter');

export interface AuthorizationServer {
  issuer: string;
  record: AuthorizationServerRecord;
  /** What its tokens are for. */
  audience: string;
}

/** @param audience of the API, which comes later */
export async function startAuthorizationServer(
  stage: Stage,
  registry: Registry,
  audience: string,
): Promise<AuthorizationServer> {
  const { narrator } = stage;
  narrator.scene(
    'An authorization server that knows nobody',
    'It asks Holdfast who a client is (resolve) and whether it may come in now (admission), for each token anew.',
  );
  const [port = 0] = await freePorts(1);
  const issuer = `https://localhost:${port}`;
  const name = 'token endpoint';
  const { token } = await addEnforcementPoint(stage, registry, { name }, 'may ask who is let in');
  const entityConfiguration = await signConfiguration(stage, registry, issuer);
  await startProgram(stage, registry, { issuer, port, audience, token, entityConfiguration });
  const record = await enrol(stage, registry, issuer);
  await listTokenIssuer(stage, registry, { issuer, audience });
  return { issuer, record, audience };
}

async function signConfiguration(stage: Stage, { trustAnchor }: Registry, issuer: string): Promise<string> {
  const { folder, entityType, legalName } = SERVER;
  const metadata = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` };
  const metadataFile = await stage.write(`${folder}-metadata.json`, JSON.stringify(metadata));
  const dir = stage.file(folder);
  await stage.mustRun([
    ...['configuration', 'init', '--entity', issuer, '--superior', trustAnchor.entityIdentifier],
    ...['--type', entityType, '--metadata', metadataFile, '--name', legalName, '--dir', dir],
  ]);
  return await stage.mustRun(['configuration', 'sign', '--dir', dir]);
}

interface ProgramSettings {
  issuer: string;
  port: number;
  audience: string;
  token: string;
  entityConfiguration: string;
}

async function startProgram(
  stage: Stage,
  { api, trustAnchor, anchorKeys, serverCa }: Registry,
  { issuer, port, audience, token, entityConfiguration }: ProgramSettings,
): Promise<void> {
  const { certificate, key } = await serverCa.issueToServer();
  const settings = {
    ...{ listen: { host: '127.0.0.1', port }, issuer, tls: { key, cert: certificate } },
    jwks: { keys: [signingKey()] },
    api: { audience, scope: API.scope, tokenFormat: 'jwt' },
    entityConfiguration: entityConfiguration.trim(),
    holdfast: {
      url: api.serviceUrl.href,
      enforcementPointToken: token,
      trustAnchor: { entityIdentifier: trustAnchor.entityIdentifier, jwks: anchorKeys },
      allow: 'localhost',
    },
  };
  const file = await stage.write(`${SERVER.folder}.json`, JSON.stringify(settings, null, 2));
  const args = [path.join(EXAMPLE, 'authorization-server.ts'), file];
  await stage.narrator.step(
    () => stage.start({ name: SERVER.folder, args }),
    () => `it serves ${issuer}, over mTLS`,
    'node examples/perimeter/authorization-server.ts',
  );
}

function signingKey(): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: 'tokens-1', use: 'sig', alg: 'ES256' };
}

/** It becomes a member as everybody does, and is on record as an authorization server. */
async function enrol(stage: Stage, { api, trustAnchor }: Registry, issuer: string): Promise<AuthorizationServerRecord> {
  const { legalName, contact, entityType } = SERVER;
  const organisation = await addOrganisation(stage, api, { authority: trustAnchor, legalName, contact });
  const entity = { organisation, entityIdentifier: issuer, entityTypes: [entityType] };
  const approved = await approveEntity(stage, api, await enrolEntity(stage, api, entity), 'our own server');
  return await api.send(
    { method: 'POST', path: 'authorization-servers', body: { entityId: approved.id } },
    authorizationServerSchema,
  );
}

async function listTokenIssuer(
  { narrator }: Stage,
  { api, trustAnchor }: Registry,
  { issuer, audience }: { issuer: string; audience: string },
): Promise<void> {
  const body = { authorityId: trustAnchor.id, issuer, audiences: [audience], jwksUri: `${issuer}/jwks` };
  await narrator.step(
    () => api.send({ method: 'POST', path: 'token-issuers', body }, z.looseObject({ id: z.string() })),
    () => 'its tokens for the API are believed from now on',
    'POST /api/v1/token-issuers',
  );
}
