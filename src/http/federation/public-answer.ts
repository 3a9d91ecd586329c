/** Answers of federation endpoints: exact media type, validators, caching, any origin. @see OIDFED §8 */
import type { NumericDate } from '../../federation/time.ts';
import { entityTagOf, type ReadyAnswer } from '../../issuance/ready-answers.ts';

/** Longest time that others may keep an answer, in seconds; shorter when the answer expires sooner. */
export const MAX_AGE_CAP_SECONDS = 60;

const EXPOSED = 'ETag, Retry-After';
const EXPOSED_WITH_AGE = `${EXPOSED}, Holdfast-Oldest-Statement`;

/** 200, or 304 when the caller has these bytes already; without a body for HEAD. Nobody keeps what a POST got. */
export function publicAnswer(request: Request, answer: ReadyAnswer, now: NumericDate): Response {
  const isPost = request.method === 'POST';
  const headers = publicHeaders(answer, now, isPost || request.headers.has('authorization'));
  if (!isPost && matches(request.headers.get('if-none-match'), entityTagOf(answer))) {
    const { 'content-type': _type, 'content-length': _length, ...others } = headers;
    return new Response(null, { status: 304, headers: others });
  }
  return new Response(request.method === 'HEAD' ? null : answer.body, { status: answer.status ?? 200, headers });
}

/** Header fields of an answer that comes with its body. */
export function publicHeaders(
  answer: ReadyAnswer,
  now: NumericDate,
  isForCallerOnly: boolean = false,
): Record<string, string> {
  const maxAge = Math.max(0, Math.min(MAX_AGE_CAP_SECONDS, Math.floor(answer.expiresAt - now)));
  const headers: Record<string, string> = {
    etag: entityTagOf(answer),
    'cache-control': isForCallerOnly ? 'no-store' : `public, max-age=${maxAge}`,
    'access-control-allow-origin': '*',
    'access-control-expose-headers': EXPOSED,
    'content-type': answer.contentType,
    // Text is a JWT, so as many bytes as characters; Node would count them each time.
    'content-length': String(answer.body.length),
  };
  if (answer.oldestStatement !== undefined) {
    headers['holdfast-oldest-statement'] = answer.oldestStatement;
    headers['access-control-expose-headers'] = EXPOSED_WITH_AGE;
  }
  return headers;
}

/** The answer to a browser that asks before it sends If-None-Match from another origin. */
export function preflightAnswer(methods: readonly string[]): Response {
  return new Response(null, {
    status: 204,
    headers: {
      allow: methods.join(', '),
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methods.join(', '),
      'access-control-allow-headers': 'If-None-Match',
      'access-control-max-age': '86400',
    },
  });
}

/** Weak comparison of RFC 9110 §13.1.2. */
export function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}
