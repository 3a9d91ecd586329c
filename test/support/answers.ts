/** Looks at answers of federation endpoints as a client does that trusts nothing. */
import { expect } from 'vitest';
import type { Claims } from './federation.ts';

/** §8.9 */
interface ErrorBody {
  error: string;
  error_description: string;
}

/** The JWT of a 200 answer of this media type. */
export async function jwtOf(response: Response, mediaType: string): Promise<string> {
  const body = await response.text();
  expect([response.status, response.headers.get('content-type'), body.slice(0, 200)]).toEqual([
    200,
    mediaType,
    expect.stringMatching(/^eyJ/),
  ]);
  return body;
}

export function headerOf(jwt: string): Claims {
  return decoded(jwt.split('.')[0]);
}

export function claimsOf(jwt: string): Claims {
  return decoded(jwt.split('.')[1]);
}

function decoded(part = ''): Claims {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

/**
 * Status and error code of a refusal that is exactly as every refusal must be.
 * @example expect(await refusalIn(response)).toBe('404 not_found');
 */
export async function refusalIn(response: Response): Promise<string> {
  const body = (await response.clone().json()) as ErrorBody;
  expect(body).toEqual({ error: expect.any(String), error_description: expect.stringMatching(/^[\x20-\x7e]+$/) });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'ETag, Retry-After',
  });
  expect(response.headers.get('retry-after')).toEqual(
    [429, 503].includes(response.status) ? expect.stringMatching(/^\d+$/) : null,
  );
  return `${response.status} ${body.error}`;
}

/** The error of a refusal in words. */
export async function descriptionIn(response: Response): Promise<string> {
  return ((await response.clone().json()) as ErrorBody).error_description;
}
