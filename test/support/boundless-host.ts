/** A host on which every path is an entity: its superiors come from a function, so its federation needs no end. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MEDIA_TYPE, TYP } from '../../src/federation/media-types.ts';
import { LIFETIME_SECONDS, NOW } from './federation.ts';
import { signJwt, testKey } from './keys.ts';

const WELL_KNOWN = '/.well-known/openid-federation';

/** Names on this host or identifiers elsewhere, for the entity of this name. */
export type SuperiorsOf = (name: string) => readonly string[];

export interface BoundlessHost extends AsyncDisposable {
  readonly origin: string;
  /** How many configurations and statements were asked for. */
  readonly requests: number;
}

/**
 * Publishes an Entity Configuration at every path, and at `/fetch` a statement by anybody about anybody. All entities
 * share one key.
 * @example await using host = await serveBoundless((name) => [`${name}x`]);
 */
export async function serveBoundless(superiorsOf: SuperiorsOf): Promise<BoundlessHost> {
  const key = await testKey('ES256', 77);
  let requests = 0;
  let origin = '';

  const regularClaims = (iss: string, sub: string): object => {
    return { iss, sub, iat: NOW, exp: NOW + LIFETIME_SECONDS, jwks: { keys: [key.jwk] } };
  };
  const configurationClaims = (name: string): object => {
    const identifier = `${origin}/${name}`;
    const hints = superiorsOf(name).map((superior) => (superior.includes('://') ? superior : `${origin}/${superior}`));
    const endpoint = `${identifier}/fetch`;
    return {
      ...regularClaims(identifier, identifier),
      metadata: { federation_entity: { federation_fetch_endpoint: endpoint, federation_list_endpoint: endpoint } },
      ...(hints.length > 0 ? { authority_hints: hints } : {}),
    };
  };
  const answer = async (url: URL, response: ServerResponse): Promise<void> => {
    const sub = url.searchParams.get('sub');
    const name = url.pathname.slice(1).replace(sub === null ? WELL_KNOWN : '/fetch', '');
    const claims = sub === null ? configurationClaims(name) : regularClaims(`${origin}/${name}`, sub);
    response.writeHead(200, { 'Content-Type': MEDIA_TYPE.entityStatement });
    response.end(await signJwt(key, TYP.entityStatement, claims));
  };

  const server = createServer((request, response) => {
    requests++;
    answer(new URL(request.url ?? '/', origin), response).catch((error: Error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
