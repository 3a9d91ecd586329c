/** Tells paths that do not exist from methods that a path does not serve. @see RFC 9110 §15.5.6 */
import type { MiddlewareHandler } from 'hono';
import { RegistryError } from '../../registry/registry-error.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { HttpProblem } from '../problem.ts';

export interface ServedRoute {
  method: string;
  /** As OpenAPI writes it: `/api/v1/tokens/{tokenId}`. */
  path: string;
}

interface ServedPath {
  template: string;
  pattern: RegExp;
  methods: Set<string>;
}

/** Lets only requests pass that some route serves. */
export function knownRoutes(routes: readonly ServedRoute[]): MiddlewareHandler<ApiEnv> {
  const paths = new Map<string, ServedPath>();
  for (const { method, path } of routes) {
    const served = paths.get(path) ?? { template: path, pattern: patternOf(path), methods: new Set() };
    served.methods.add(method.toUpperCase());
    if (method.toUpperCase() === 'GET') served.methods.add('HEAD');
    paths.set(path, served);
  }
  return async (c, next) => {
    const served = [...paths.values()].find(({ pattern }) => pattern.test(c.req.path));
    if (served === undefined) throw new RegistryError('not_found', 'there is nothing at this path; see /docs');
    c.set('route', served.template);
    if (!served.methods.has(c.req.method)) {
      const allow = [...served.methods].sort().join(', ');
      throw new HttpProblem('method_not_allowed', `this path is asked with ${allow}`, { allow });
    }
    await next();
  };
}

function patternOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll(/\{[^/]+\}/g, '[^/]+')}$`);
}
