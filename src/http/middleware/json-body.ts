/** Reads a JSON body: within its limit, strictly, and only what the database can hold. */
import type { MiddlewareHandler } from 'hono';
import { FederationError, pointer } from '../../federation/errors.ts';
import { type JsonValue, MAX_JSON_DEPTH, parseJson } from '../../federation/json.ts';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';
import type { ApiEnv } from '../api/api-env.ts';
import { HttpProblem } from '../problem.ts';

export const MAX_BODY_BYTES = 256 * 1024;

const JSON_CONTENT_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/** Leaves the parsed body in `body` and its text to the schema of the operation. */
export const readJsonBody: MiddlewareHandler<ApiEnv> = bodyReader({
  maxBytes: MAX_BODY_BYTES,
  maxDepth: MAX_JSON_DEPTH,
});

/** The same for an operation with limits of its own. */
export function bodyReader(limits: { maxBytes: number; maxDepth: number }): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    requireJson(c.req.header('content-type'), c.req.header('content-encoding'));
    const bytes = await readLimited(c.req.raw, limits.maxBytes);
    const body = parseJsonBody(bytes, limits.maxDepth);
    requireStorable(body, '');
    c.set('body', body);
    c.set('bodyBytes', bytes);
    c.req.bodyCache.json = Promise.resolve(body);
    await next();
  };
}

/** @throws HttpProblem unsupported_media_type */
export function requireJson(contentType = '', encoding = 'identity'): void {
  if (JSON_CONTENT_TYPE.test(contentType) && encoding === 'identity') return;
  throw new HttpProblem('unsupported_media_type', 'send the body as application/json in UTF-8, not compressed');
}

export function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem('payload_too_large', `a body has at most ${maxBytes} bytes`);
}

/** Stops to read as soon as the limit is passed, whatever length was announced. */
async function readLimited(request: Request, maxBytes: number): Promise<Uint8Array> {
  const refusal = tooLarge(maxBytes);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw refusal;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw refusal;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws RegistryError validation_failed */
export function parseJsonBody(bytes: Uint8Array, maxDepth: number = MAX_JSON_DEPTH): JsonValue {
  try {
    return parseJson(decode(bytes), maxDepth);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const errors = [{ pointer: '', detail: error.message }];
    throw new RegistryError('validation_failed', `the body ${error.message}`, { errors, reason: error.reason });
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch (cause) {
    throw new FederationError('json_malformed', 'is not valid UTF-8', '', { cause });
  }
}

/**
 * PostgreSQL keeps neither U+0000 nor lone surrogates in text, and a number beyond the range of a double is none.
 * @throws RegistryError validation_failed
 */
function requireStorable(value: JsonValue, at: string): void {
  if (typeof value === 'string') requireStorableText(value, at);
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalidField(at, 'is a number too large to keep');
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    requireStorableText(name, at);
    requireStorable(member, at + pointer(name));
  }
}

function requireStorableText(text: string, at: string): void {
  if (text.includes('\0')) throw invalidField(at, 'holds the character U+0000, which cannot be kept');
  if (!text.isWellFormed()) throw invalidField(at, 'holds half a character (a lone surrogate)');
}
