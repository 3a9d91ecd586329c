/** The process of a federation: everything is signed beforehand, so that serving it costs little. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { entityConfigurationUrl } from '../../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import type { Clock } from '../../../src/federation/time.ts';
import { buildFederation, type EntitySettings, type TestFederation } from '../../../test/support/federation.ts';
import { relyingPartyMetadata } from '../samples/relying-party.ts';
import type { EntityPlan, FederationCommand, FederationPlan, FederationReply } from './federation-plan.ts';

/** Longer than anything rests between two rounds. */
const KEEP_ALIVE_MS = 120_000;

const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };
/** Bodies by URL; see `statementUrl`. */
const statements = new Map<string, Buffer>();
/** By path. */
const texts = new Map<string, string>();
const requests = new Map<string, number>();

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.on('message', (command: FederationCommand) => {
  obey(command).then(reply, (error: unknown) => {
    reply({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
});

function reply(message: FederationReply): void {
  process.send?.(message);
}

async function obey(command: FederationCommand): Promise<FederationReply> {
  if (command.kind === 'count') return { kind: 'counted', requests: Object.fromEntries(requests) };
  if (command.kind === 'publish-text') {
    texts.set(command.path, command.text);
    return { kind: 'text-published' };
  }
  const { plan } = command;
  const origins = await listen(plan);
  const settings = Object.entries(plan.entities).map(([name, entity]) => [name, settingsOf(entity)] as const);
  const federation = await buildFederation(Object.fromEntries(settings), {
    clock,
    identifierOf: (name) => (plan.isServerPerEntity ? origins(name) : `${origins(name)}/${name}`),
  });
  await signAll(federation);
  const entities = federation.entities.map(
    ({ name, identifier }) => [name, { identifier, jwks: federation.jwks(name) }] as const,
  );
  return { kind: 'published', entities: Object.fromEntries(entities) };
}

function settingsOf({ superiors = {}, isRelyingParty = false }: EntityPlan): EntitySettings {
  if (!isRelyingParty) return { superiors };
  return { superiors, metadata: (identifier) => ({ openid_relying_party: relyingPartyMetadata(identifier, 0) }) };
}

/** @returns tells where an entity is served */
async function listen(plan: FederationPlan): Promise<(name: string) => string> {
  const origins = new Map<string, string>();
  const shared = plan.isServerPerEntity ? undefined : await start(plan);
  for (const name of Object.keys(plan.entities)) origins.set(name, shared ?? (await start(plan)));
  return (name) => origins.get(name) ?? '';
}

async function start(plan: FederationPlan): Promise<string> {
  const server: Server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', answerer(origin, plan));
  return origin;
}

async function signAll(federation: TestFederation): Promise<void> {
  for (const { name, identifier, superiors } of federation.entities) {
    statements.set(entityConfigurationUrl(identifier), Buffer.from(await federation.configuration(name)));
    for (const superior of superiors.keys()) {
      if (!federation.entities.some((entity) => entity.name === superior)) continue;
      const jwt = await federation.subordinateStatement(superior, name);
      statements.set(statementUrl(federation.endpoints(superior).fetch, identifier), Buffer.from(jwt));
    }
  }
}

/** Whatever way a client encodes the query. */
function statementUrl(endpoint: string, subject: string | null): string {
  return subject === null ? endpoint : `${endpoint} about ${subject}`;
}

function answerer(origin: string, { delayMs = 0, maxAgeSeconds }: FederationPlan): RequestListener {
  const headers: Record<string, string> = { 'content-type': MEDIA_TYPE.entityStatement };
  if (maxAgeSeconds !== undefined) headers['cache-control'] = `public, max-age=${maxAgeSeconds}`;
  return ({ url = '/' }, response) => {
    const [path = '', query] = url.split('?', 2);
    const name = statementUrl(origin + path, query === undefined ? null : new URLSearchParams(query).get('sub'));
    const body = statements.get(name);
    requests.set(name, (requests.get(name) ?? 0) + 1);
    const text = texts.get(path);
    const answer = (): void => {
      if (text !== undefined) response.writeHead(200, { 'content-type': 'text/plain' }).end(text);
      else if (body === undefined) response.writeHead(404).end();
      else response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
    };
    if (delayMs > 0) setTimeout(answer, delayMs);
    else answer();
  };
}
