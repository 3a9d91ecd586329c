/** The HTTP door: federation endpoints of authorities first, then hosted entities, then API, health and pages. */
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { RegistryError } from '../registry/registry-error.ts';
import type { AdmissionDoor } from './admission/forward-auth-door.ts';
import type { ApiDependencies } from './api/api-dependencies.ts';
import type { ApiEnv } from './api/api-env.ts';
import { OPERATIONS } from './api/operations.ts';
import { renderDocsPage } from './docs-page/docs-page.ts';
import { type LogError, toProblemResponse } from './error-response.ts';
import type { PlainDoor } from './federation/plain-door.ts';
import { authenticate, withoutToken } from './middleware/authenticate.ts';
import { knownRoutes } from './middleware/known-routes.ts';
import { PendingChanges } from './middleware/pending-changes.ts';
import { requestId } from './middleware/request-id.ts';
import { responseHeaders } from './middleware/response-headers.ts';
import { buildOpenApiDocument, openApiYaml } from './openapi/document.ts';
import { PAGE_ROUTES } from './pages/page-routes.ts';
import { type Html, pageResponse } from './pages/page-shell.ts';
import { type PublicAuthority, renderStartPage } from './pages/start-page.ts';
import { validationFailure } from './validation-failure.ts';

/** Answers what is asked of an authority; undefined when it is none of its endpoints. */
export type FederationDoor = (request: Request, environment?: unknown) => Response | Promise<Response> | undefined;

export interface AppDependencies {
  federation: FederationDoor;
  /** Answers at once what needs no more than that. */
  plain: PlainDoor;
  /** Answers gateways and servers that ask whom they may let in. */
  admission: AdmissionDoor;
  /** Answers whatever is asked of a host of hosted entities; undefined on any other host. */
  hosted: FederationDoor;
  api: ApiDependencies;
  publicAuthorities: () => readonly PublicAuthority[];
  logError: LogError;
}

export interface App {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
  /** What the HTTP server is to call. */
  listener: RequestListener;
  /** What one is to call that is for admission alone. */
  admissionListener: RequestListener;
}

export function createApp(dependencies: AppDependencies): App {
  const service = createServiceApp(dependencies);
  const { federation, plain, admission, hosted } = dependencies;
  const fetch: App['fetch'] = (request, env) =>
    federation(request, env) ?? hosted(request, env) ?? service.fetch(request, env);
  const listen = getRequestListener(fetch);
  return {
    fetch,
    listener: (incoming, outgoing) => {
      // First: some gateways send the host and path of the original request, by which no other door may be chosen.
      if (!admission(incoming, outgoing) && !plain(incoming, outgoing)) listen(incoming, outgoing);
    },
    admissionListener: (incoming, outgoing) => {
      if (!admission(incoming, outgoing)) outgoing.writeHead(404, { 'content-length': '0' }).end();
    },
  };
}

/** All but the federation endpoints. */
export function createServiceApp({
  api,
  publicAuthorities,
  logError,
}: Omit<AppDependencies, 'federation' | 'plain' | 'admission' | 'hosted'>): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      if (result.target === 'param') throw new RegistryError('not_found', 'no record has such an id');
      throw validationFailure(result.target, result.error);
    },
  });
  app.onError((error, c) => toProblemResponse(error, c.get('requestId'), logError));
  app.use(requestId, responseHeaders, knownRoutes([...OPERATIONS.map(({ route }) => route), ...PAGE_ROUTES]));
  const pending = new PendingChanges();
  app.use('/api/*', authenticate(api, withoutToken(OPERATIONS.map(({ route }) => route))), pending.tell);
  const changeContext = pending.tolerate(api.changeContext);
  for (const operation of OPERATIONS) operation.mount(app, { ...api, changeContext });
  mountPages(app, publicAuthorities);
  return app;
}

function mountPages(app: OpenAPIHono<ApiEnv>, publicAuthorities: AppDependencies['publicAuthorities']): void {
  let yaml: string | undefined;
  let docs: Html | undefined;
  app.get('/', (c) => {
    // One authority does not tell of another: each is named on its own host only.
    const { host } = new URL(c.req.url);
    const here = publicAuthorities().filter(({ entityIdentifier }) => new URL(entityIdentifier).host === host);
    return pageResponse(c, 'Holdfast', renderStartPage(here));
  });
  app.get('/docs', (c) => {
    docs ??= renderDocsPage(buildOpenApiDocument());
    return pageResponse(c, 'Holdfast: documentation', docs);
  });
  app.get('/openapi.yaml', (c) => {
    yaml ??= openApiYaml();
    return c.body(yaml, 200, { 'content-type': 'application/yaml' });
  });
}
