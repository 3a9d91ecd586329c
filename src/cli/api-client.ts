/** Speaks to the API of a running service: token, versions, idempotency keys, paging, problems. */
import { z } from 'zod';
import { CommandError } from './command-error.ts';

export const DEFAULT_SERVICE_URL = 'http://localhost:8080';
/** Long enough for a service that fetches from a slow participant before it answers. */
const TIMEOUT_MS = 60_000;
const MAX_PAGE_SIZE = 500;

export type Query = Readonly<Record<string, string | undefined>>;

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below `/api/v1/` unless it begins with a slash. */
  path: string;
  query?: Query;
  body?: unknown;
  /** Version of the record that was looked at. */
  ifMatch?: number;
  idempotencyKey?: string;
  /** Ends it before. */
  signal?: AbortSignal;
  /** For what takes longer than most. */
  timeoutMs?: number;
}

export interface ApiClient {
  readonly serviceUrl: URL;
  /**
   * Sends a request and parses what comes back.
   * @throws CommandError refused for 4xx, unreachable when no proper answer came
   */
  send<T>(request: ApiRequest, answer: z.ZodType<T>): Promise<T>;
  /**
   * The text of an answer of any length, as it comes.
   * @throws CommandError refused for 4xx, unreachable when no proper answer came or it broke off
   */
  download(path: string, query: Query): AsyncIterable<string>;
  /** Up to `limit` records of a list, however many pages that takes. */
  list<T>(path: string, query: Query, record: z.ZodType<T>, page: ListPage): Promise<RecordList<T>>;
}

export interface ListPage {
  /** Most records; Infinity for all. */
  limit: number;
  cursor?: string;
}

export interface RecordList<T> {
  items: T[];
  /** Cursor of what follows; absent at the end. */
  next?: string;
}

export interface ApiClientOptions {
  serviceUrl: URL;
  /** Sent as bearer token. */
  token: string | undefined;
  /** Told of a change that is recorded under this seq but that the service does not serve yet. */
  onPendingChange?: (seq: string) => void;
}

const problemSchema = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string(),
  requestId: z.string().optional(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** What to do about a refusal, by its code. */
const HINTS: Readonly<Record<string, string>> = {
  unauthenticated:
    'HOLDFAST_TOKEN is missing, unknown, expired or revoked; `holdfast token --help` tells how to get one.',
  role_missing: '`holdfast whoami` shows what your token may do.',
  version_mismatch: 'Look at the record again (`show`), then repeat the command.',
  evidence_changed: 'Look at the new evidence with `holdfast entity show`, then decide anew.',
  flow_changed: '`holdfast enrolment run` runs the steps that the authority asks for now.',
  enrolment_required: '`holdfast enrolment list --state pending_approval` shows what waits for approval.',
  checks_failed: 'Let the partner mend it, then run `holdfast entity check`.',
  key_not_published: 'When the partner publishes it: `holdfast entity check`, then repeat the command.',
  organisation_not_active: 'Approve the organisation first: `holdfast organisation approve`.',
  not_active: '`holdfast entity show` shows its state and that of its organisation.',
  contact_missing: 'Add one with `holdfast organisation contact add`, then repeat the command.',
  organisation_exists: '`holdfast organisation list --registration-number` shows the record that exists.',
  authorization_server_exists: '`holdfast authorization-server show` shows the record that exists.',
  api_resource_exists: '`holdfast api-resource list` shows the record that exists.',
  chain_untrusted: 'Send the certificates above it along; `holdfast trust-list list` shows who is believed.',
  entity_exists: '`holdfast entity show` shows the record that exists.',
  challenge_invalid: '`holdfast entity challenge` makes a new one.',
  admin_exists: 'Ask its owner for a token: `holdfast token create --name YOU --role registrar`.',
};

export function createApiClient({ serviceUrl, token, onPendingChange }: ApiClientOptions): ApiClient {
  const base = serviceUrl.href.endsWith('/') ? serviceUrl.href : `${serviceUrl.href}/`;

  function urlOf(request: ApiRequest): URL {
    const path = request.path.startsWith('/') ? request.path.slice(1) : `api/v1/${request.path}`;
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  }

  async function send<T>(request: ApiRequest, answer: z.ZodType<T>): Promise<T> {
    const url = urlOf(request);
    const response = await exchange(url, request, token, endOf(request));
    const pendingSeq = response.headers.get('holdfast-pending-seq');
    if (pendingSeq !== null) onPendingChange?.(pendingSeq);
    const body = await readBody(response, url);
    if (response.status >= 400) throw refusal(response, body, url);
    const parsed = answer.safeParse(body);
    if (parsed.success) return parsed.data;
    throw noService(url, `its answer has not the expected form: ${z.prettifyError(parsed.error)}`);
  }

  return {
    serviceUrl,
    send,
    async *download(path, query) {
      const request: ApiRequest = { method: 'GET', path, query };
      const url = urlOf(request);
      const silence = new AbortController();
      const timer = setTimeout(() => silence.abort(new DOMException('no data', 'TimeoutError')), TIMEOUT_MS);
      try {
        const response = await exchange(url, request, token, silence.signal);
        if (response.status >= 400) throw refusal(response, await readBody(response, url), url);
        for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          timer.refresh();
          yield text;
        }
      } catch (error) {
        throw error instanceof CommandError ? error : unreachable(url, error);
      } finally {
        clearTimeout(timer);
      }
    },
    async list(path, query, record, { limit, cursor }) {
      const page = z.object({ items: z.array(record), next: z.string().optional() });
      const list = { items: [] as z.infer<typeof record>[], next: cursor };
      do {
        const pageSize = String(Math.min(MAX_PAGE_SIZE, limit - list.items.length));
        const { items, next } = await send(
          { method: 'GET', path, query: { ...query, limit: pageSize, cursor: list.next } },
          page,
        );
        list.items.push(...items);
        list.next = next;
      } while (list.next !== undefined && list.items.length < limit);
      return list;
    },
  };
}

function endOf({ timeoutMs = TIMEOUT_MS, signal }: ApiRequest): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

async function exchange(
  url: URL,
  request: ApiRequest,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const headers = new Headers({ accept: 'application/json, application/problem+json' });
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (request.body !== undefined) headers.set('content-type', 'application/json');
  if (request.ifMatch !== undefined) headers.set('if-match', `"${request.ifMatch}"`);
  if (request.idempotencyKey !== undefined) headers.set('idempotency-key', request.idempotencyKey);
  try {
    return await fetch(url, {
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      // A redirect could carry the token elsewhere.
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    throw unreachable(url, error, request.timeoutMs);
  }
}

function unreachable(url: URL, error: unknown, timeoutMs = TIMEOUT_MS): CommandError {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  const reason = isTimeout ? `no answer within ${timeoutMs / 1000} s` : causeOf(error);
  return new CommandError('unreachable', `cannot reach the service at ${url.origin}: ${reason}`, {
    hint: 'Start it with `npm start` or `holdfast serve`, or set HOLDFAST_URL to where it runs.',
    code: 'service_unreachable',
    cause: error,
  });
}

/** `fetch` hides what happened in the cause of its error, and that again in the first of several. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError) return causeOf(error.errors[0]);
  if (error.cause instanceof Error) return causeOf(error.cause);
  return error.message;
}

async function readBody(response: Response, url: URL): Promise<unknown> {
  if (response.status === 204) return undefined;
  if (response.status >= 300 && response.status < 400) {
    const destination = response.headers.get('location') ?? 'elsewhere';
    throw noService(url, `it redirects to ${destination}; set HOLDFAST_URL to the service itself`);
  }
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(url, error);
  });
  try {
    return JSON.parse(text);
  } catch {
    throw noService(url, `it answered ${response.status} and no JSON`);
  }
}

function noService(url: URL, what: string): CommandError {
  return new CommandError(
    'unreachable',
    `what answers at ${url.origin} is no holdfast service of this version: ${what}`,
    {
      code: 'service_unexpected',
    },
  );
}

function refusal(response: Response, body: unknown, url: URL): CommandError {
  const { status } = response;
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success && status < 500) return noService(url, `it answered ${status} without saying why`);
  const { title, detail, code, requestId, errors } = parsed.data ?? { code: `http_${status}` };
  if (status >= 500) {
    const message = `the service cannot answer: ${detail ?? title ?? status}`;
    const hint = requestId === undefined ? undefined : `Its log tells more about the request ${requestId}.`;
    return new CommandError('unreachable', message, { code, hint });
  }
  return new CommandError('refused', detail ?? title ?? `the service answered ${status}`, {
    code,
    hint: HINTS[code],
    fields: errors,
  });
}
