/** Asks who comes: a bearer token, or nothing more is said. @see RFC 6750 */
import type { MiddlewareHandler } from 'hono';
import { RegistryError } from '../../registry/registry-error.ts';
import type { ApiDependencies } from '../api/api-dependencies.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { requestCertificateOf } from '../peer-certificate.ts';

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

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
    if (open.has(`${c.req.method.toLowerCase()} ${c.req.path}`)) return await next();
    const [, secret] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
    const actor =
      secret === undefined ? undefined : await dependencies.authenticate(secret, requestCertificateOf(c.env));
    if (actor === undefined) {
      const message = 'send a valid API token: Authorization: Bearer <token>';
      throw new RegistryError('unauthenticated', message);
    }
    c.set('actor', actor);
    await next();
  };
}
