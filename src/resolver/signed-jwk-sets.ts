/** Retrieves what a `signed_jwks_uri` serves. @see OIDFED §5.2.1 */
import { FederationError } from '../federation/errors.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { HttpGet } from './http-statement-source.ts';

/**
 * @returns a compact JWT as it comes: nothing in it is checked yet
 * @throws FederationError server_unavailable, http_status_unexpected, content_type_unexpected, and what the outbound
 *   client throws
 */
export async function retrieveSignedJwkSet(outbound: HttpGet, url: string): Promise<string> {
  const { status, contentType, body } = await outbound.get(url, { accept: [MEDIA_TYPE.jwkSet] });
  const { host } = new URL(url);
  if (status === 429 || status >= 500) {
    throw new FederationError('server_unavailable', `${host} answered with status ${status}; try again later`);
  }
  if (status !== 200) {
    const message = `${host} answered with status ${status} instead of 200`;
    throw new FederationError('http_status_unexpected', message, '', { section: '5.2.1' });
  }
  if (contentType !== MEDIA_TYPE.jwkSet) {
    const message = `${host} answered with ${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.jwkSet}`;
    throw new FederationError('content_type_unexpected', message, '', { section: '5.2.1' });
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
}
