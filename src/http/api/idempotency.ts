/** `Idempotency-Key`: a creating request may be repeated and makes one record. */
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { canonicalJson, type JsonValue } from '../../federation/json.ts';
import type { Idempotency } from '../../registry/change.ts';

const FIELD = 'Idempotency-Key';

export const IDEMPOTENCY_KEY = {
  [FIELD]: z
    .string()
    .regex(/^[\x20-\x7e]{1,200}$/, 'is 1 to 200 printable ASCII characters')
    .optional()
    .openapi({
      description:
        'Chosen by you. The same key with the same request makes one record and gives it back again, for 7 days at least; with another request 422.',
      example: '7f3c0a52-enrol-op',
    }),
};

/** The part of a request that makes it the same request. */
export interface RepeatableRequest {
  method: string;
  path: string;
  body: JsonValue;
}

/** Equal bodies count as the same whatever the order of their members. */
export function idempotencyOf(
  headers: { 'Idempotency-Key'?: string | undefined },
  { method, path, body }: RepeatableRequest,
): Idempotency | undefined {
  const key = headers[FIELD];
  if (key === undefined) return undefined;
  const requestHash = createHash('sha256')
    .update(`${method} ${path}\n${canonicalJson(body)}`)
    .digest('base64url');
  return { key, requestHash };
}
