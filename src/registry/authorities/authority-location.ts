/** Where an authority is served: host and path of its Entity Identifier, and the paths it may not take. */
import { invalidField } from '../registry-error.ts';

/** First path segments that belong to the service itself. */
const RESERVED_FIRST_SEGMENTS = new Set([
  'api',
  'console',
  'docs',
  'healthz',
  'readyz',
  'metrics',
  'openapi.yaml',
  'participants',
]);
/** Segments under which an authority serves its own endpoints. */
const RESERVED_SEGMENTS = new Set(['federation', '.well-known']);
const SEGMENT = /^[A-Za-z0-9._~-]+$/;

/**
 * Host (lower case, with port) and path without a trailing slash. Two Entity Identifiers with the same location share
 * their well-known URL, so only one of them can be an authority here.
 */
export function authorityLocation(entityIdentifier: string): string {
  const { host, pathname } = new URL(entityIdentifier);
  return `${host}${pathname.endsWith('/') ? pathname.slice(0, -1) : pathname}`;
}

/** @throws RegistryError validation_failed when the path would hide pages of the service or of another authority */
export function checkAuthorityPath(entityIdentifier: string): void {
  // As written, not as parsed: a parser takes `/x/../api` for `/api`.
  const path = entityIdentifier.replace(/^https?:\/\/[^/]*/i, '').replace(/\/$/, '');
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const isReserved = RESERVED_SEGMENTS.has(segment) || (index === 0 && RESERVED_FIRST_SEGMENTS.has(segment));
    if (isReserved) throw invalidField('/entityIdentifier', `cannot have the path segment ${segment}; it is in use`);
    if (!SEGMENT.test(segment) || segment === '.' || segment === '..') {
      throw invalidField('/entityIdentifier', 'has a path segment with characters other than A-Z a-z 0-9 . _ ~ -');
    }
  });
}
