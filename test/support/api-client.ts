/** Asks the API as a client does and holds every answer against what its operation declares. */
import { expect } from 'vitest';
import type { z } from 'zod';
import { OPERATIONS } from '../../src/http/api/operations.ts';
import { ProblemSchema } from '../../src/http/problem.ts';
import { documentedSchema } from './openapi-document.ts';

/** Anything that serves requests: the composed service of a test. */
export interface Served {
  fetch(request: Request): Response | Promise<Response>;
}

/** Members of an answer's body, by dots and indices of whatever it is. */
// biome-ignore lint/suspicious/noExplicitAny: a body is read by tests that know what they asked for
export type Body = any;

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: Body;
  /** Version of the record, for the next If-Match. */
  etag: string;
}

export type HeaderFields = Record<string, string>;

const ORIGIN = 'http://localhost:8080';

/**
 * @example
 * const registrar = new ApiClient(service.app, secret);
 * const { status, body } = await registrar.post('/api/v1/organisations', { authorityId, legalName: 'Partner' });
 */
export class ApiClient {
  readonly #app: Served;
  readonly #authorization: HeaderFields;

  constructor(app: Served, authorization: HeaderFields = {}) {
    this.#app = app;
    this.#authorization = authorization;
  }

  get(path: string, headers?: HeaderFields): Promise<ApiAnswer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body?: unknown, headers?: HeaderFields): Promise<ApiAnswer> {
    return this.send('POST', path, { body, headers });
  }

  patch(path: string, body: unknown, headers?: HeaderFields): Promise<ApiAnswer> {
    return this.send('PATCH', path, { body, headers });
  }

  put(path: string, body: unknown, headers?: HeaderFields): Promise<ApiAnswer> {
    return this.send('PUT', path, { body, headers });
  }

  delete(path: string, headers?: HeaderFields): Promise<ApiAnswer> {
    return this.send('DELETE', path, { headers });
  }

  /** @param request a `body` is sent as JSON; `text` goes as it is */
  async send(
    method: string,
    path: string,
    request: { body?: unknown; text?: RequestInit['body']; headers?: HeaderFields | undefined } = {},
  ): Promise<ApiAnswer> {
    const text = request.text ?? (request.body === undefined ? null : JSON.stringify(request.body));
    const contentType: HeaderFields = text === null ? {} : { 'content-type': 'application/json' };
    const headers = { ...this.#authorization, ...contentType, ...request.headers };
    const init: RequestInit = { method, headers, body: text, duplex: 'half' };
    const response = await this.#app.fetch(new Request(`${ORIGIN}${path}`, init));
    return await declaredAnswer(method, path, response);
  }
}

/** The answer, if the operation declares such a one, in its route and in openapi.yaml; every member of its body must be declared, too. */
async function declaredAnswer(method: string, path: string, response: Response): Promise<ApiAnswer> {
  const asked = `${method} ${path} answered ${response.status}`;
  const text = await response.text();
  const mediaType = response.headers.get('content-type') ?? undefined;
  const declared = declaredContent(method, path, response.status, asked);
  expect(mediaType, asked).toBe(declared?.mediaType);
  const body: unknown = mediaType === 'application/x-ndjson' ? text : text === '' ? undefined : JSON.parse(text);
  if (declared !== undefined) expect(body, asked).toEqual(declared.schema.parse(body));
  if (declared?.operationId !== undefined) requireDocumented(declared, response.status, body, asked);
  requireSafeHeaders(response.headers, asked);
  return { status: response.status, headers: response.headers, body, etag: response.headers.get('etag') ?? '' };
}

/** The published document says the same as the routes: whoever reads it alone understands the answer. */
function requireDocumented(
  { operationId = '', mediaType }: DeclaredContent,
  status: number,
  body: unknown,
  asked: string,
) {
  const schema = documentedSchema(operationId, status, mediaType);
  if (schema === undefined) throw new Error(`${asked}, which openapi.yaml does not describe`);
  expect(schema.safeParse(body).error, `${asked}, unlike openapi.yaml`).toBeUndefined();
}

interface DeclaredContent {
  operationId?: string | undefined;
  mediaType: string;
  schema: z.ZodType;
}

const PROBLEM: DeclaredContent = { mediaType: 'application/problem+json', schema: ProblemSchema };

function declaredContent(method: string, path: string, status: number, asked: string): DeclaredContent | undefined {
  const [pathname = ''] = path.split('?');
  const route = OPERATIONS.map((operation) => operation.route).find(
    (one) => one.method.toUpperCase() === method && pattern(one.path).test(pathname),
  );
  // Neither an unknown path nor a wrong method is an operation that could declare anything.
  if (route === undefined) return PROBLEM;
  const response = route.responses[status];
  if (response === undefined || !('description' in response)) throw new Error(`${asked}, which is not declared`);
  const { content = {} } = response as { content?: Record<string, { schema: z.ZodType }> };
  const [declared] = Object.entries(content);
  return declared && { operationId: route.operationId, mediaType: declared[0], schema: declared[1].schema };
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^/]+\}/g, '[^/]+')}$`);
}

/** What everybody is told may be kept, if only to ask whether it is still so; refusals are not. */
const KEPT = /^GET \/api\/v1\/status\b.* answered (?:200|304)$/;

/** What holds for every answer outside the federation endpoints. */
function requireSafeHeaders(headers: Headers, asked: string): void {
  expect(Object.fromEntries(headers), asked).toMatchObject({
    'cache-control': KEPT.test(asked) ? 'no-cache' : 'no-store',
    'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  });
  expect(headers.has('access-control-allow-origin'), asked).toBe(false);
}

/** Status and code of a refusal with the fields at fault: `400 validation_failed /name`. */
export function refusalOf({ status, body }: ApiAnswer): string {
  const pointers = (body?.errors ?? []).map((error: { pointer: string }) => error.pointer);
  return [status, body?.code, ...pointers].join(' ');
}
