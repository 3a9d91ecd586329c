/** The one place where errors become problem+json. @see RFC 9457 */
import { HTTPException } from 'hono/http-exception';
import { FederationError } from '../federation/errors.ts';
import { NoSigningKey } from '../issuance/statement-issuer.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { isOutage } from './outage.ts';
import { HttpProblem, type ProblemCode, problemKind, problemType } from './problem.ts';

/** Takes the full error for the log; nothing of it is shown. */
export type LogError = (error: unknown, requestId: string) => void;

/** @see RFC 6750 §3, RFC 8705 §3, RFC 7617 §2 */
function challengeOf({ code, kind }: RegistryError): Record<string, string> {
  if (kind !== 'unauthenticated') return {};
  if (code === 'code_invalid') return { 'www-authenticate': 'Basic realm="holdfast", charset="UTF-8"' };
  const error = code === 'token_bound' ? ', error="invalid_token"' : '';
  return { 'www-authenticate': `Bearer realm="holdfast"${error}` };
}

/** The response for whatever was thrown. What is neither a refusal nor an outage shows its request id only. */
export function toProblemResponse(error: unknown, requestId: string, logError: LogError): Response {
  if (error instanceof RegistryError) {
    const headers = challengeOf(error);
    return problemResponse(error.code, error.message, requestId, { headers, members: error.details });
  }
  if (error instanceof HttpProblem) {
    return problemResponse(error.code, error.message, requestId, { headers: error.headers });
  }
  if (error instanceof FederationError && error.wire !== 'server_error') return federationProblem(error, requestId);
  if (error instanceof HTTPException && error.status < 500) return frameworkProblem(error, requestId);
  logError(error, requestId);
  if (isOutage(error)) {
    const detail =
      error instanceof NoSigningKey
        ? 'the authority has no active key to sign with; an admin rolls one in (`holdfast authority keys roll`)'
        : 'the database cannot be reached or does not confirm the current state; try again shortly';
    return problemResponse('temporarily_unavailable', detail, requestId, { headers: { 'retry-after': '1' } });
  }
  const detail = 'something went wrong here; the log has more under the request id';
  return problemResponse('internal_error', detail, requestId);
}

/** Claims handed in that the standard forbids. */
function federationProblem(error: FederationError, requestId: string): Response {
  const errors = [{ pointer: error.at, detail: error.message }];
  return problemResponse('validation_failed', `${error.at} ${error.message}`.trim(), requestId, {
    members: { errors, reason: error.reason },
  });
}

/** The few refusals of the framework that ours do not anticipate. */
function frameworkProblem(error: HTTPException, requestId: string): Response {
  if (error.status !== 415) return problemResponse('validation_failed', error.message, requestId);
  return problemResponse('unsupported_media_type', 'send the body as application/json', requestId);
}

interface ProblemParts {
  headers?: Readonly<Record<string, string>>;
  /** Members besides those of every problem. */
  members?: Readonly<Record<string, unknown>>;
}

function problemResponse(code: ProblemCode, detail: string, requestId: string, parts: ProblemParts = {}): Response {
  const { status, title } = problemKind(code);
  const problem = { ...parts.members, type: problemType(code), title, status, detail, code, requestId };
  return new Response(JSON.stringify(problem), {
    status,
    headers: { ...parts.headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
