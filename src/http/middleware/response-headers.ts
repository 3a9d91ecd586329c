/** Header fields of every answer outside the federation endpoints: kept by nobody, framed by nobody, sniffed by nobody. */
import type { MiddlewareHandler } from 'hono';

/** Nothing may be loaded or run. Pages with a style of their own set another policy. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export const DEFAULT_HEADERS: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['content-security-policy', CONTENT_SECURITY_POLICY],
  ['cross-origin-resource-policy', 'same-origin'],
  ['referrer-policy', 'no-referrer'],
  ['x-content-type-options', 'nosniff'],
];

/** Sets what the handler did not set itself. */
export const responseHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  for (const [name, value] of DEFAULT_HEADERS) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
};

/** The policy of a page with one inline style sheet. @param styleHash base64 of its SHA-256 */
export function pageSecurityPolicy(styleHash: string): string {
  return `${CONTENT_SECURITY_POLICY}; style-src 'sha256-${styleHash}'`;
}
