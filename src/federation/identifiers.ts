/** Entity Identifiers: https URLs that are compared code point by code point. @see OIDFED §1.2, §16 */
import { FederationError } from './errors.ts';

declare const entityIdentifier: unique symbol;
/** An Entity Identifier as received: never normalized, case and trailing slash are significant. */
export type EntityIdentifier = string & { readonly [entityIdentifier]: true };

export interface IdentifierOptions {
  /** Accept `http` for any host. Without it `http` is accepted for loopback hosts only. */
  allowHttp?: boolean;
}

const MAX_IDENTIFIER_LENGTH = 2048;
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;
/** scheme, then an authority without userinfo, percent-encoding or backslash, then at most a path. */
const SHAPE = /^https?:\/\/[^/?#@%\\]+(?:\/[^?#\\]*)?$/i;
/** The same with a query allowed: endpoint URLs of `federation_entity` metadata (§5.1.1). */
const ENDPOINT_SHAPE = /^https?:\/\/[^/?#@%\\]+(?:\/[^?#\\]*)?(?:\?[^#\\]*)?$/i;

/**
 * Parses an Entity Identifier: `https`, a host, optionally port and path; no query, fragment or userinfo.
 * @see OIDFED §1.2
 * @throws FederationError entity_identifier_invalid
 */
export function parseEntityIdentifier(value: unknown, options: IdentifierOptions = {}, at = ''): EntityIdentifier {
  const complaint = identifierComplaint(value, SHAPE, options);
  if (complaint !== undefined) throw new FederationError('entity_identifier_invalid', complaint, at);
  return value as EntityIdentifier;
}

export function isEntityIdentifier(value: unknown, options: IdentifierOptions = {}): value is EntityIdentifier {
  return identifierComplaint(value, SHAPE, options) === undefined;
}

/** Whether this may stand as an endpoint: an https URL, a query allowed, no fragment (§5.1.1). */
export function isEndpointUrl(value: unknown, options: IdentifierOptions = {}): value is string {
  return identifierComplaint(value, ENDPOINT_SHAPE, options) === undefined;
}

function identifierComplaint(value: unknown, shape: RegExp, options: IdentifierOptions): string | undefined {
  if (typeof value !== 'string') return 'an Entity Identifier is a string';
  if (value.length > MAX_IDENTIFIER_LENGTH) return `longer than ${MAX_IDENTIFIER_LENGTH} characters`;
  if (!PRINTABLE_ASCII.test(value)) return 'contains white space, control or non-ASCII characters';
  if (!shape.test(value)) return 'must be an https URL with a host, without user info or fragment';
  const url = URL.parse(value);
  if (url === null) return 'is not a URL';
  if (url.protocol === 'http:' && options.allowHttp !== true && !isLoopbackHost(url.hostname)) {
    return 'must use https (http is accepted on loopback only)';
  }
  return undefined;
}

/** `localhost` and its subdomains, 127.0.0.0/8 and ::1, as `URL.hostname` spells them. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/**
 * Where the Entity Configuration of an entity is published: one trailing slash is dropped, the path stays in front.
 * @see OIDFED §9
 */
export function entityConfigurationUrl(identifier: EntityIdentifier): string {
  const base = identifier.endsWith('/') ? identifier.slice(0, -1) : identifier;
  return `${base}/.well-known/openid-federation`;
}

/** Appends query parameters to an endpoint URL that may already have a query. */
export function withQuery(endpoint: string, parameters: Iterable<readonly [string, string]>): string {
  const query = [...parameters].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  if (query.length === 0) return endpoint;
  return `${endpoint}${endpoint.includes('?') ? '&' : '?'}${query.join('&')}`;
}
