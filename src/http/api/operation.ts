/** One operation of the API: its description and its handler, kept together. */
import type { OpenAPIHono, RouteConfig, RouteHandler } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { requireAccess } from '../../registry/access.ts';
import { FIRST_ADMIN } from '../../registry/tokens/create-token.ts';
import { readJsonBody } from '../middleware/json-body.ts';
import type { ApiDependencies } from './api-dependencies.ts';
import type { ApiEnv } from './api-env.ts';

export interface Operation {
  readonly route: RouteConfig;
  mount(app: OpenAPIHono<ApiEnv>, dependencies: ApiDependencies): void;
}

/** Joins a route with the factory of its handler. @param readBody what reads the body, where it has limits of its own */
export function defineOperation<R extends RouteConfig & { getRoutingPath(): string }>(
  route: R,
  createHandler: (dependencies: ApiDependencies) => RouteHandler<R, ApiEnv>,
  readBody: MiddlewareHandler<ApiEnv> = readJsonBody,
): Operation {
  return {
    route,
    mount(app, dependencies) {
      app.on(route.method, route.getRoutingPath(), mayAsk(route));
      if (route.request?.body !== undefined) app.on(route.method, route.getRoutingPath(), readBody);
      app.openapi(route, createHandler(dependencies));
    },
  };
}

/** Lets pass whoever may ask for the operation in some case. */
function mayAsk({ operationId = '', security }: RouteConfig): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    // The first admin has no role yet: what he may do is up to the one operation that is for him.
    if (security?.length !== 0 && c.get('actor').id !== FIRST_ADMIN) requireAccess(c.get('actor'), operationId);
    await next();
  };
}
