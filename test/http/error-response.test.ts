import { describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { toProblemResponse } from '../../src/http/error-response.ts';
import { allProblems, HttpProblem, ProblemSchema } from '../../src/http/problem.ts';
import { REGISTRY_CODES, type RegistryCode, RegistryError } from '../../src/registry/registry-error.ts';
import { StaleStateError } from '../../src/storage/change-feed.ts';
import { DatabaseUnreachable } from '../../src/storage/postgresql.ts';

const SECRET = 'password=hunter2';

/** What a caller gets for an error, and what the log gets. */
async function answerTo(
  error: unknown,
): Promise<{ response: Response; body: Record<string, unknown>; logged: unknown[] }> {
  const logged: unknown[] = [];
  const response = toProblemResponse(error, 'request-1', (...entry) => logged.push(entry));
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = ProblemSchema.parse(await response.json());
  expect(body.status).toBe(response.status);
  return { response, body, logged };
}

const STATUS_OF_KIND = {
  validation: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  precondition_required: 428,
} as const;

/** Each asks for something well-formed that contradicts what is on record. */
const UNPROCESSABLE: readonly string[] = [
  'idempotency_key_reused',
  'contact_missing',
  'wrong_environment',
  'role_not_held',
  'chain_untrusted',
  'subject_mismatch',
];

describe('a refusal of the registry', () => {
  it.each(Object.keys(REGISTRY_CODES) as RegistryCode[])('%s has the status of its kind', async (code) => {
    const { response, body, logged } = await answerTo(new RegistryError(code, 'because', { allowed: ['suspend'] }));
    const status = UNPROCESSABLE.includes(code) ? 422 : STATUS_OF_KIND[REGISTRY_CODES[code]];
    expect([response.status, body['code'], body['detail'], body['allowed']]).toEqual([
      status,
      code,
      'because',
      ['suspend'],
    ]);
    expect(logged).toEqual([]);
  });

  it('cannot pass as another by its details', async () => {
    const details = { status: 200, code: 'ok', requestId: 'forged', type: 'x' };
    const { response, body } = await answerTo(new RegistryError('not_found', 'no', details));
    expect([response.status, body['code'], body['requestId']]).toEqual([404, 'not_found', 'request-1']);
  });
});

describe('a refusal of HTTP', () => {
  it('brings its header fields', async () => {
    const { response } = await answerTo(new HttpProblem('method_not_allowed', 'no', { allow: 'GET' }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('claims that the standard forbids', () => {
  it('are a 400 with reason and place', async () => {
    const { response, body } = await answerTo(
      new FederationError('metadata_null', 'must not be null', '/metadata/a/b'),
    );
    expect(response.status).toBe(400);
    expect(body).toMatchObject({
      code: 'validation_failed',
      reason: 'metadata_null',
      errors: [{ pointer: '/metadata/a/b', detail: 'must not be null' }],
    });
  });

  it('are our fault when we would have made them', async () => {
    const error = new FederationError('lint_failed', SECRET);
    const { response, body, logged } = await answerTo(error);
    expect([response.status, JSON.stringify(body).includes(SECRET), logged]).toEqual([
      500,
      false,
      [[error, 'request-1']],
    ]);
  });
});

describe('an outage', () => {
  const wrapped = (cause: unknown): Error => new Error(`Failed query: ${SECRET}`, { cause });
  const withCode = (code: string): Error => Object.assign(new Error('lost'), { code });

  it.each([
    ['stale state', new StaleStateError('stale')],
    ['no database', new DatabaseUnreachable('away')],
    ['a refused connection', wrapped(withCode('ECONNREFUSED'))],
    ['a database that stops', wrapped(withCode('57P01'))],
    ['a broken connection', wrapped(new Error('Connection terminated unexpectedly'))],
    ['a full pool', wrapped(new Error('timeout exceeded when trying to connect'))],
    ['a query that takes too long', wrapped(withCode('57014'))],
  ])('%s is a 503 that invites to try again, logged in full', async (_what, error) => {
    const { response, body, logged } = await answerTo(error);
    expect([response.status, body['code'], response.headers.get('retry-after')]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    expect(logged).toEqual([[error, 'request-1']]);
  });
});

describe('anything else', () => {
  it.each([
    new Error(SECRET),
    new TypeError(SECRET),
    SECRET,
    undefined,
    Object.assign(new Error(SECRET), { code: '23505' }),
  ])('is a 500 that shows nothing but the request id: %s', async (error) => {
    const { response, body, logged } = await answerTo(error);
    expect(response.status).toBe(500);
    expect(body).toEqual({
      type: '/docs#problem-internal_error',
      title: 'Internal error',
      status: 500,
      detail: 'something went wrong here; the log has more under the request id',
      code: 'internal_error',
      requestId: 'request-1',
    });
    expect(logged).toEqual([[error, 'request-1']]);
  });
});

it('knows a title and a status for every code', () => {
  for (const { status, title } of allProblems()) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).not.toBe('');
  }
});
