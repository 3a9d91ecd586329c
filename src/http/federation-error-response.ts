/** The one place where errors become the unsigned error bodies of federation endpoints. @see OIDFED §8.9 */
import { FederationError, WIRE, type WireCode } from '../federation/errors.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import { MethodNotServed } from './federation/method-not-served.ts';
import { RequestTooLarge } from './federation/request-too-large.ts';
import { TryAgainLater } from './federation/try-again-later.ts';
import { isOutage } from './outage.ts';

/** After how many seconds a caller may try again what was temporarily unavailable. */
const RETRY_AFTER_SECONDS = 1;
const MAX_DESCRIPTION_LENGTH = 500;

/**
 * The response of a federation endpoint for whatever was thrown. Of errors that are no refusals, outages included,
 * nothing is shown; logging them is for the caller, who knows the request.
 * @see OIDFED §8.9
 */
export function toFederationErrorResponse(error: unknown): Response {
  if (error instanceof TryAgainLater) {
    const response = federationErrorResponse(error.wire, describe(error), error.status);
    response.headers.set('retry-after', String(error.retryAfterSeconds));
    return response;
  }
  if (error instanceof MethodNotServed) return federationMethodNotAllowed(error.allow);
  if (error instanceof RequestTooLarge) return federationErrorResponse(error.wire, describe(error), error.status);
  if (error instanceof FederationError && error.wire !== 'server_error') {
    return federationErrorResponse(error.wire, describe(error));
  }
  if (isOutage(error)) {
    return federationErrorResponse(
      'temporarily_unavailable',
      'the current state cannot be confirmed; try again shortly',
    );
  }
  return federationErrorResponse('server_error', 'something went wrong here');
}

/** A place within claims helps to find the fault; the name of a parameter stands in the message anyway. */
function describe({ at, message }: FederationError): string {
  return at.includes('/') ? `${at}: ${message}` : message;
}

/** The response to a method that an endpoint does not serve. @param allow the methods that it does serve */
export function federationMethodNotAllowed(allow: readonly string[]): Response {
  const methods = allow.join(', ');
  const response = federationErrorResponse('invalid_request', `this endpoint is asked with ${methods}`, 405);
  response.headers.set('allow', methods);
  return response;
}

function federationErrorResponse(error: WireCode, description: string, status: number = WIRE[error]): Response {
  const headers: Record<string, string> = {
    'content-type': MEDIA_TYPE.json,
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'ETag, Retry-After',
    'x-content-type-options': 'nosniff',
  };
  if (error === 'temporarily_unavailable') headers['retry-after'] = String(RETRY_AFTER_SECONDS);
  const body = { error, error_description: printable(description) };
  return new Response(JSON.stringify(body), { status, headers });
}

/** Printable ASCII without quote and backslash: all that `error_description` may hold. @see RFC 6749 §5.2 */
function printable(text: string): string {
  return text
    .slice(0, MAX_DESCRIPTION_LENGTH)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x7e]|\\/g, '?');
}
