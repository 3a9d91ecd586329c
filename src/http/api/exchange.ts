/** Building blocks of routes: bodies, replies, the problems that an operation may answer with, who may ask. */
import type { z } from '@hono/zod-openapi';
import { ACCESS, type AccessibleOperation } from '../../registry/access.ts';
import { ProblemSchema } from '../problem.ts';

/** Name of the security scheme in the OpenAPI document. */
export const BEARER_SCHEME = 'bearer';
export const BEARER = [{ [BEARER_SCHEME]: [] }];

export function jsonBody<S extends z.ZodType>(schema: S) {
  return { required: true as const, content: { 'application/json': { schema } } };
}

export function jsonReply<S extends z.ZodType>(description: string, schema: S, headers: readonly ReplyHeader[] = []) {
  const described = Object.fromEntries(headers.map((name) => [name, REPLY_HEADERS[name]]));
  const content = { 'application/json': { schema } };
  return headers.length === 0 ? { description, content } : { description, headers: described, content };
}

type ReplyHeader = keyof typeof REPLY_HEADERS;

const REPLY_HEADERS = {
  ETag: {
    description: 'Version of the record, for `If-Match`.',
    schema: { type: 'string' as const, example: '"3"' },
  },
  Location: {
    description: 'Path of the new record.',
    schema: { type: 'string' as const, format: 'uri-reference' },
  },
};

const PROBLEMS = {
  400: 'The request is not valid: `validation_failed`.',
  401: 'No valid API token: `unauthenticated`; one that is bound to another client certificate: `token_bound`.',
  403: 'The token lacks the role, or does not reach all authorities: `role_missing`; nothing is stated about whoever is not active: `not_active`.',
  404: 'No such record in what the token reaches: `not_found`.',
  409: 'The registry forbids it as it stands; `code` and `detail` say why.',
  410: 'What was asked for is no longer kept: `resync_required`; read what there is, and follow from there.',
  412: 'The record changed since it was read: `version_mismatch`.',
  413: 'The body has more than 256 KiB: `payload_too_large`.',
  415: 'The body is not `application/json`: `unsupported_media_type`.',
  422: 'What is asked contradicts something else: `idempotency_key_reused`, the key came with another request; `contact_missing`, an active organisation needs such a contact; `wrong_environment`, an Entity Identifier has credentials in one environment only; `role_not_held`, the organisation does not hold the role; `chain_untrusted`, a certificate has no path to the trust list; `subject_mismatch`, it names another than the record does.',
  428: '`If-Match` is missing: `version_required`.',
  429: 'Too many at a time: `too_many_requests`, with `Retry-After`.',
  500: 'A fault of ours, in the log under `requestId`: `internal_error`.',
  503: 'The database is away or the state is not confirmed: `temporarily_unavailable`.',
} as const;

type ProblemStatus = keyof typeof PROBLEMS;

export interface ProblemReply {
  description: string;
  content: { 'application/problem+json': { schema: typeof ProblemSchema } };
}

/** The problems named, and those that every operation with a token may answer with. */
export function problems<S extends ProblemStatus>(...statuses: S[]): Record<S | 401 | 403 | 500 | 503, ProblemReply> {
  const all = [...new Set<ProblemStatus>([...statuses, 401, 403, 500, 503])].sort((a, b) => a - b);
  return Object.fromEntries(all.map((status) => [status, problemReply(status)])) as Record<
    S | 401 | 403 | 500 | 503,
    ProblemReply
  >;
}

/** The same for an operation with a body. */
export function bodyProblems<S extends ProblemStatus>(
  ...statuses: S[]
): Record<S | 400 | 401 | 403 | 413 | 415 | 500 | 503, ProblemReply> {
  return problems<S | 400 | 413 | 415>(...statuses, 400, 413, 415);
}

function problemReply(status: ProblemStatus): ProblemReply {
  return { description: PROBLEMS[status], content: { 'application/problem+json': { schema: ProblemSchema } } };
}

const REACH_TEXT = {
  deployment: 'in a token that reaches all authorities',
  authority: 'in a token that reaches the authority',
  organisation: 'in a token that reaches the authority, of members: the organisation',
  entity: 'in a token that reaches the authority, of members: the organisation, or the entity itself',
  caller: 'for itself',
  anyone: '',
} as const;

/** Who may ask, as the last sentence of a description. */
export function whoMayAsk(operation: AccessibleOperation): string {
  const { roles, reach } = ACCESS[operation];
  if (reach === 'anyone') return 'Needs no token.';
  return `Needs the role ${roles.map((role) => `\`${role}\``).join(' or ')}, ${REACH_TEXT[reach]}.`;
}
