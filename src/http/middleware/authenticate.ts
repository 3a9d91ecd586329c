/** Asks who comes: a bearer token, or nothing more is said. @see RFC 6750 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Actor } from '../../registry/actor.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { ApiDependencies } from '../api/api-dependencies.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { requestCertificateOf } from '../peer-certificate.ts';

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

/** Who the request comes from by now; undefined where it shows no token that counts. @throws RegistryError token_bound */
export async function presentedActor(
  c: Context<ApiEnv>,
  { authenticate }: Pick<ApiDependencies, 'authenticate'>,
): Promise<Actor | undefined> {
  const [, secret] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
  return secret === undefined ? undefined : await authenticate(secret, requestCertificateOf(c.env));
}

/** Of the operations that need no token: `post /api/v1/oauth/token`. */
export function withoutToken(routes: readonly { method: string; path: string; security?: unknown[] }[]): Set<string> {
  return new Set(
    routes.filter(({ security }) => security?.length === 0).map(({ method, path }) => `${method} ${path}`),
  );
}

/**
 * Whether a token is missing, malformed, unknown, expired or revoked, the answer is the same; one that is good on other
 * connections only says so (`token_bound`).
 */
export function authenticate(
  dependencies: Pick<ApiDependencies, 'authenticate'>,
  open: ReadonlySet<string>,
): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const method = c.req.method === 'HEAD' ? 'get' : c.req.method.toLowerCase();
    if (open.has(`${method} ${c.get('route')}`)) return await next();
    const actor = await presentedActor(c, dependencies);
    if (actor === undefined) {
      const message = 'send a valid API token: Authorization: Bearer <token>';
      throw new RegistryError('unauthenticated', message);
    }
    c.set('actor', actor);
    await next();
  };
}
