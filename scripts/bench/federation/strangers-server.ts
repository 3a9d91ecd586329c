/** The process of strangers: hosts on loopback that know nobody, stay silent, hang up, or name superiors without end. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { MEDIA_TYPE, TYP } from '../../../src/federation/media-types.ts';
import { signJwt, testKey } from '../../../test/support/keys.ts';
import { MANNERS, type Manner, type StrangersCommand, type StrangersReply } from './strangers-plan.ts';

/** Superiors that each entity of the endless host names, none of which was heard of before. */
const HINTS = 3;
const LIFETIME_SECONDS = 3600;
const WELL_KNOWN = '/.well-known/openid-federation';

const arrivals: Record<Manner, number[]> = { unknown: [], silent: [], hangsUp: [], endless: [] };

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.on('message', (command: StrangersCommand) => {
  obey(command).then(reply, (error: unknown) => {
    reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

function reply(message: StrangersReply): void {
  process.send?.(message);
}

async function obey({ kind }: StrangersCommand): Promise<StrangersReply> {
  if (kind === 'count') return { kind: 'counted', arrivals };
  const origins: Partial<Record<Manner, string>> = {};
  for (const manner of MANNERS) origins[manner] = await START[manner]();
  return { kind: 'listening', origins: origins as Record<Manner, string> };
}

const START: Record<Manner, () => Promise<string>> = {
  unknown: () => serve('unknown', () => (_, response) => response.writeHead(404).end()),
  silent: () => serve('silent', () => () => {}),
  endless: () => serve('endless', endless),
  async hangsUp() {
    const server = createTcpServer((socket) => {
      arrivals.hangsUp.push(Date.now());
      socket.on('error', () => {}).destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
};

async function serve(manner: Manner, listener: (origin: string) => RequestListener): Promise<string> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = listener(origin);
  server.on('request', (request, response) => {
    arrivals[manner].push(Date.now());
    answer(request, response);
  });
  return origin;
}

/** Any entity exists, and is signed for as it should be. */
function endless(origin: string): RequestListener {
  return ({ url = '' }, response) => {
    const entity = origin + url.replace(WELL_KNOWN, '');
    configuration(origin, entity).then(
      (jwt) => response.writeHead(200, { 'content-type': MEDIA_TYPE.entityStatement }).end(jwt),
      (error: Error) => response.destroy(error),
    );
  };
}

async function configuration(origin: string, entity: string): Promise<string> {
  const key = await testKey();
  const iat = Math.floor(Date.now() / 1000);
  return await signJwt(key, TYP.entityStatement, {
    ...{ iss: entity, sub: entity, iat, exp: iat + LIFETIME_SECONDS, jwks: { keys: [key.jwk] } },
    authority_hints: Array.from({ length: HINTS }, () => `${origin}/${randomUUID()}`),
    metadata: { federation_entity: { federation_fetch_endpoint: `${origin}/fetch` } },
  });
}
