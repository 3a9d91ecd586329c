/** What a superior elsewhere lists as its Immediate Subordinates. @see OIDFED §8.2 */
import { FederationError } from '../federation/errors.ts';
import { type EntityIdentifier, type IdentifierOptions, isEntityIdentifier } from '../federation/identifiers.ts';
import { parseJson } from '../federation/json.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { HttpGet } from './http-statement-source.ts';

/** Some ten thousand identifiers. */
const MAX_LIST_BYTES = 1024 * 1024;

/**
 * What is listed, each once, in the order of the list. What is no Entity Identifier is left out: the others are none the
 * worse for it.
 * @throws FederationError server_unavailable, http_status_unexpected, content_type_unexpected, json_malformed, and what
 *   the outbound client throws
 */
export async function retrieveSubordinateList(
  outbound: HttpGet,
  endpoint: string,
  { allowHttp, signal }: IdentifierOptions & { signal: AbortSignal },
): Promise<EntityIdentifier[]> {
  const { host } = new URL(endpoint);
  const { status, contentType, body } = await outbound.get(endpoint, {
    accept: [MEDIA_TYPE.json],
    maxResponseBytes: MAX_LIST_BYTES,
    signal,
  });
  if (status === 429 || status >= 500) {
    throw new FederationError('server_unavailable', `${host} answered with status ${status}; try again later`);
  }
  if (status !== 200) throw new FederationError('http_status_unexpected', `${host} answered with status ${status}`);
  if (contentType !== MEDIA_TYPE.json) {
    const message = `${host} answered with ${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.json}`;
    throw new FederationError('content_type_unexpected', message);
  }
  const list = parseJson(new TextDecoder('utf-8', { ignoreBOM: true }).decode(body));
  if (!Array.isArray(list)) throw new FederationError('json_malformed', `${host} listed no array of identifiers`);
  return [...new Set(list.filter((value) => isEntityIdentifier(value, allowHttp === undefined ? {} : { allowHttp })))];
}
