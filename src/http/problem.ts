/** Problems that the API answers with: codes, statuses, titles, and their shape on the wire. @see RFC 9457 */
import { z } from '@hono/zod-openapi';
import { REGISTRY_CODES, type RegistryCode, type RegistryErrorKind } from '../registry/registry-error.ts';

interface ProblemKind {
  status: number;
  title: string;
}

/** How kinds of registry refusals look over HTTP. */
const KINDS = {
  validation: { status: 400, title: 'Invalid request' },
  unauthenticated: { status: 401, title: 'Authentication required' },
  forbidden: { status: 403, title: 'Not permitted' },
  not_found: { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Conflict' },
  gone: { status: 410, title: 'No longer kept' },
  precondition_failed: { status: 412, title: 'Changed in the meantime' },
  precondition_required: { status: 428, title: 'Version required' },
} as const satisfies Record<RegistryErrorKind, ProblemKind>;

/** Codes whose status is not that of their kind. */
const EXCEPTIONS: Partial<Record<RegistryCode, ProblemKind>> = {
  idempotency_key_reused: { status: 422, title: 'Idempotency-Key reused' },
  contact_missing: { status: 422, title: 'Contact missing' },
  wrong_environment: { status: 422, title: 'Wrong environment' },
  role_not_held: { status: 422, title: 'Role not held' },
  chain_untrusted: { status: 422, title: 'Certificate not trusted' },
  subject_mismatch: { status: 422, title: 'Certificate of somebody else' },
};

/** What goes wrong in HTTP itself, around the registry. */
const HTTP_PROBLEMS = {
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  payload_too_large: { status: 413, title: 'Body too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  too_many_requests: { status: 429, title: 'Too many at a time' },
  internal_error: { status: 500, title: 'Internal error' },
  temporarily_unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, ProblemKind>;

export type HttpProblemCode = keyof typeof HTTP_PROBLEMS;
export type ProblemCode = RegistryCode | HttpProblemCode;

/** Status and title of a code. */
export function problemKind(code: ProblemCode): ProblemKind {
  if (isHttpCode(code)) return HTTP_PROBLEMS[code];
  return EXCEPTIONS[code] ?? KINDS[REGISTRY_CODES[code]];
}

function isHttpCode(code: ProblemCode): code is HttpProblemCode {
  return Object.hasOwn(HTTP_PROBLEMS, code);
}

/** Every code with its status, for the documentation. */
export function allProblems(): { code: ProblemCode; status: number; title: string }[] {
  const codes = [...Object.keys(REGISTRY_CODES), ...Object.keys(HTTP_PROBLEMS)] as ProblemCode[];
  return codes.map((code) => ({ code, ...problemKind(code) })).sort((a, b) => a.status - b.status);
}

/** A refusal of HTTP itself, such as a body that is too large. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpProblemCode;
  /** Further header fields of the response, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

/** Where the documentation page explains a code; `type` of the problem, relative to the service. */
export function problemType(code: string): string {
  return `/docs#problem-${code}`;
}

export const ProblemSchema = z
  .looseObject({
    type: z.string().openapi({ format: 'uri-reference', example: '/docs#problem-validation_failed' }),
    title: z.string().openapi({ example: 'Invalid request' }),
    status: z.int().openapi({ example: 400 }),
    detail: z.string().openapi({ description: 'What is wrong and, where useful, what to do.' }),
    code: z.string().openapi({ description: 'Stable; programs decide by it.', example: 'validation_failed' }),
    requestId: z
      .string()
      .openapi({ description: 'Also in `x-request-id`; names the request in the log and the audit.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().openapi({
            description: 'JSON Pointer into the body; below `/query` or `/header` for what stands there.',
            example: '/entityIdentifier',
          }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .openapi('Problem', {
    description:
      'A problem of RFC 9457. Some codes add members, such as `allowed` transitions or the current `version`.',
  });
