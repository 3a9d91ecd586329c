/** The list of revocations of a certification authority, for everybody: its certificates name the place. @see RFC 5280 §4.2.1.13 */
import { createRoute, z } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import type { Clock } from '../../federation/time.ts';
import type { PublishedList, RevocationLists } from '../../issuance/certificates/revocation-lists.ts';
import { isRecordId } from '../../registry/record-id.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { problems } from '../api/exchange.ts';
import { recordIdParam } from '../api/record-schema.ts';
import { publicAnswer } from '../federation/public-answer.ts';
import { isOutage } from '../outage.ts';
import { HttpProblem } from '../problem.ts';

export interface RevocationListDependencies {
  lists: Pick<RevocationLists, 'current'>;
  /** What the registry is known to hold; see the change feed. */
  state: { readonly seq: number; isCurrent(): boolean; ensureCurrent(): Promise<void> };
  clock: Clock;
}

const HEADERS = {
  ETag: { description: 'Strong; for `If-None-Match`.', schema: { type: 'string' as const } },
  'Cache-Control': {
    description: 'At most a minute, and never beyond the moment at which another list takes its place by itself.',
    schema: { type: 'string' as const, example: 'public, max-age=60' },
  },
  'X-Registry-Seq': {
    description: 'The list holds every change up to this one.',
    schema: { type: 'integer' as const, example: 42 },
  },
};
const { 404: NOT_FOUND, 500: FAULT, 503: UNCONFIRMED } = problems(404);

export const REVOCATION_LIST_ROUTE = createRoute({
  method: 'get',
  path: '/ca/{certificationAuthorityId}/crl',
  operationId: 'readRevocationList',
  summary: 'Download the list of revocations of a certification authority',
  description:
    'Certificates that count no more (RFC 5280 §5): revoked, superseded, on hold, or of whoever is not active. It holds a revocation as soon as that is answered; what is released or reinstated is on it no more. Each has a higher number than the one before. Needs no token.',
  tags: ['Certification authorities'],
  security: [],
  request: { params: recordIdParam('certificationAuthorityId') },
  responses: {
    200: {
      description: 'The newest one, whole.',
      headers: HEADERS,
      content: { 'application/pkix-crl': { schema: z.string().openapi({ format: 'binary', description: 'DER.' }) } },
    },
    304: { description: 'Still as `If-None-Match` knows it.', headers: HEADERS },
    404: NOT_FOUND,
    500: FAULT,
    503: UNCONFIRMED,
  },
});

export function mountRevocationLists(app: Hono<ApiEnv>, dependencies: () => RevocationListDependencies): void {
  app.get(REVOCATION_LIST_ROUTE.getRoutingPath(), (c) => answer(c, dependencies()));
}

/** An outage is the change feed's news: whoever asks does not fill the log with it. */
async function answer(c: Context<ApiEnv>, dependencies: RevocationListDependencies): Promise<Response> {
  try {
    return await currentAnswer(c, dependencies);
  } catch (error) {
    if (!isOutage(error)) throw error;
    const detail = 'which certificates count cannot be told for the moment; try again shortly';
    throw new HttpProblem('temporarily_unavailable', detail, { 'retry-after': '1' });
  }
}

async function currentAnswer(c: Context<ApiEnv>, dependencies: RevocationListDependencies): Promise<Response> {
  const { lists, state, clock } = dependencies;
  for (;;) {
    await state.ensureCurrent();
    // Taken before anything is read: what is answered may be newer, never older.
    const { seq } = state;
    const list = await read(c, lists);
    // What took its time counts only if our state is known to be current at its end, too.
    if (!state.isCurrent()) continue;
    const { der, number, staleAt } = list;
    const response = publicAnswer(
      c.req.raw,
      {
        ...{ body: der, etag: `"${number}"`, contentType: 'application/pkix-crl' },
        ...{ expiresAt: staleAt, refreshAt: staleAt },
      },
      clock.now(),
    );
    response.headers.set('x-registry-seq', String(seq));
    response.headers.set('access-control-expose-headers', 'ETag, X-Registry-Seq');
    response.headers.set('cross-origin-resource-policy', 'cross-origin');
    return response;
  }
}

/** @throws RegistryError not_found */
async function read(c: Context<ApiEnv>, lists: RevocationListDependencies['lists']): Promise<PublishedList> {
  const id = c.req.param('certificationAuthorityId') ?? '';
  const list = isRecordId(id) ? await lists.current(id) : undefined;
  if (list !== undefined) return list;
  throw new RegistryError('not_found', 'there is no certification authority with a certificate under this id');
}
