/** Tells of each request once it is answered: by which template of a path, never by the path itself. */
import type { MiddlewareHandler } from 'hono';
import { boundedMethod, type Door, type ObserveRequest } from '../answered-request.ts';
import type { ApiEnv } from '../api/api-env.ts';

/** Runs before all else, so that refusals of any kind are heard of. */
export function observed(observe: ObserveRequest): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const begunAt = performance.now();
    await next();
    const { route = 'unmatched', requestId, actor } = c.var;
    observe({
      door: doorOf(route),
      route,
      method: boundedMethod(c.req.method),
      status: c.res.status,
      durationMs: performance.now() - begunAt,
      requestId,
      actor: actor && { kind: actor.kind, id: actor.id },
    });
  };
}

function doorOf(route: string): Door {
  if (route.startsWith('/api/')) return 'api';
  return route === '/healthz' || route === '/readyz' ? 'health' : 'public';
}
