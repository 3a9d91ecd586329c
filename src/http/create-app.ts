/** The HTTP door: federation endpoints of authorities first, then hosted entities, then API, health and pages. */
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { RegistryError } from '../registry/registry-error.ts';
import type { AdmissionDoor } from './admission/forward-auth-door.ts';
import { boundedMethod, type ObserveRequest } from './answered-request.ts';
import type { ApiDependencies } from './api/api-dependencies.ts';
import type { ApiEnv } from './api/api-env.ts';
import { OPERATIONS } from './api/operations.ts';
import {
  CERTIFICATION_AUTHORITY_ROUTES,
  mountCertificationAuthorities,
} from './certification/certification-authority-routes.ts';
import type { OcspDoor } from './certification/ocsp-door.ts';
import { OCSP_ROUTES } from './certification/ocsp-routes.ts';
import {
  mountRevocationLists,
  REVOCATION_LIST_ROUTE,
  type RevocationListDependencies,
} from './certification/revocation-list-route.ts';
import { renderDocsPage } from './docs-page/docs-page.ts';
import { type LogError, toProblemResponse } from './error-response.ts';
import { EST_ROUTES, type EstDependencies, mountEst } from './est/est-routes.ts';
import type { PlainDoor } from './federation/plain-door.ts';
import { KEY_STORE_ROUTES, type KeyStoreDependencies, mountKeyStores } from './keystore/key-store-routes.ts';
import { authenticate, withoutToken } from './middleware/authenticate.ts';
import { knownRoutes } from './middleware/known-routes.ts';
import { observed } from './middleware/observed.ts';
import { PendingChanges } from './middleware/pending-changes.ts';
import { requestId } from './middleware/request-id.ts';
import { responseHeaders } from './middleware/response-headers.ts';
import { buildOpenApiDocument, openApiYaml } from './openapi/document.ts';
import { PAGE_ROUTES } from './pages/page-routes.ts';
import { type Html, pageResponse } from './pages/page-shell.ts';
import { type PublicAuthority, renderStartPage } from './pages/start-page.ts';
import type { ParticipantsDoor } from './participants/participants-door.ts';
import { PARTICIPANTS_ROUTE } from './participants/participants-route.ts';
import { validationFailure } from './validation-failure.ts';

/** Answers what is asked of an authority; undefined when it is none of its endpoints. */
export type FederationDoor = (request: Request, environment?: unknown) => Response | Promise<Response> | undefined;

export interface AppDependencies {
  federation: FederationDoor;
  /** Answers at once what needs no more than that. */
  plain: PlainDoor;
  /** Answers gateways and servers that ask whom they may let in. */
  admission: AdmissionDoor;
  /** Answers whoever asks about the status of a certificate of ours. */
  ocsp: OcspDoor;
  /** Answers whatever is asked of a host of hosted entities; undefined on any other host. */
  hosted: FederationDoor;
  api: ApiDependencies;
  keyStores: KeyStoreDependencies;
  revocationLists: RevocationListDependencies;
  /** What EST hands out certificates with. */
  est: EstDependencies;
  /** Answers what is asked of the public directory as a whole. */
  participants: ParticipantsDoor;
  publicAuthorities: () => readonly PublicAuthority[];
  /** Hears of every request that another door than the first two answered. */
  observe?: ObserveRequest;
  /** Runs what answers a request as one piece of work. */
  traced?: TraceRequest;
  logError: LogError;
}

/** @param traceparent what the client says that it is part of; nobody believes it */
export type TraceRequest = <T>(traceparent: string | null, work: () => T) => T;

export interface App {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
  /** What the HTTP server is to call. */
  listener: RequestListener;
  /** What one is to call that is for admission alone. */
  admissionListener: RequestListener;
}

export function createApp(dependencies: AppDependencies): App {
  const service = createServiceApp(dependencies);
  const { federation, plain, admission, ocsp, participants, observe = () => {}, traced } = dependencies;
  const hosted = observedHosted(dependencies.hosted, observe);
  const answer: App['fetch'] = (request, env) =>
    federation(request, env) ?? hosted(request, env) ?? service.fetch(request, env);
  const fetch: App['fetch'] =
    traced === undefined
      ? answer
      : (request, env) => traced(request.headers.get('traceparent'), () => answer(request, env));
  const listen = getRequestListener(fetch);
  return {
    fetch,
    listener: (incoming, outgoing) => {
      // First: some gateways send the host and path of the original request, by which no other door may be chosen.
      if (admission(incoming, outgoing) || ocsp(incoming, outgoing) || participants(incoming, outgoing)) return;
      if (plain(incoming, outgoing) === undefined) listen(incoming, outgoing);
    },
    admissionListener: (incoming, outgoing) => {
      if (!admission(incoming, outgoing)) outgoing.writeHead(404, { 'content-length': '0' }).end();
    },
  };
}

/** What is hosted is one kind of document. */
function observedHosted(hosted: FederationDoor, observe: ObserveRequest): FederationDoor {
  return (request, env) => {
    const begunAt = performance.now();
    const answering = hosted(request, env);
    if (answering === undefined) return undefined;
    const told = (response: Response) => {
      const [method, durationMs] = [boundedMethod(request.method), performance.now() - begunAt];
      observe({ door: 'hosted', route: 'configuration', method, status: response.status, durationMs });
      return response;
    };
    return answering instanceof Promise ? answering.then(told) : told(answering);
  };
}

/** All but the federation endpoints. */
export function createServiceApp({
  api,
  keyStores,
  revocationLists,
  est,
  publicAuthorities,
  observe = () => {},
  logError,
}: Omit<
  AppDependencies,
  'federation' | 'plain' | 'admission' | 'ocsp' | 'participants' | 'hosted'
>): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      if (result.target === 'param') throw new RegistryError('not_found', 'no record has such an id');
      throw validationFailure(result.target, result.error);
    },
  });
  app.onError((error, c) => toProblemResponse(error, c.get('requestId'), logError));
  app.use(
    observed(observe),
    requestId,
    responseHeaders,
    knownRoutes([
      ...OPERATIONS.map(({ route }) => route),
      ...KEY_STORE_ROUTES,
      ...CERTIFICATION_AUTHORITY_ROUTES,
      ...OCSP_ROUTES,
      REVOCATION_LIST_ROUTE,
      ...EST_ROUTES,
      PARTICIPANTS_ROUTE,
      ...PAGE_ROUTES,
    ]),
  );
  const pending = new PendingChanges();
  app.use('/api/*', authenticate(api, withoutToken(OPERATIONS.map(({ route }) => route))), pending.tell);
  const changeContext = pending.tolerate(api.changeContext);
  for (const operation of OPERATIONS) operation.mount(app, { ...api, changeContext });
  mountKeyStores(app, () => keyStores);
  mountEst(app, () => est);
  mountCertificationAuthorities(app, api.db);
  mountRevocationLists(app, () => revocationLists);
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
