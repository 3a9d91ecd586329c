/** One operation of the API: its description and its handler, kept together. */
import type { OpenAPIHono, RouteConfig, RouteHandler } from '@hono/zod-openapi';
import { readJsonBody } from '../middleware/json-body.ts';
import type { ApiDependencies } from './api-dependencies.ts';
import type { ApiEnv } from './api-env.ts';

export interface Operation {
  readonly route: RouteConfig;
  mount(app: OpenAPIHono<ApiEnv>, dependencies: ApiDependencies): void;
}

/** Joins a route with the factory of its handler. */
export function defineOperation<R extends RouteConfig & { getRoutingPath(): string }>(
  route: R,
  createHandler: (dependencies: ApiDependencies) => RouteHandler<R, ApiEnv>,
): Operation {
  return {
    route,
    mount(app, dependencies) {
      if (route.request?.body !== undefined) app.on(route.method, route.getRoutingPath(), readJsonBody);
      app.openapi(route, createHandler(dependencies));
    },
  };
}
