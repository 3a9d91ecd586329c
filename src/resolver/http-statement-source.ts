/** Entity Configurations and Subordinate Statements of others, over HTTP. @see OIDFED §8.1, §9 */
import { FederationError, type Reason } from '../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl, withQuery } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import { MAX_JWT_LENGTH } from '../federation/signature.ts';
import {
  type ValidationOptions,
  validateEntityConfiguration,
  validateSubordinateStatement,
} from '../federation/statement/validate-statement.ts';
import { fetchEndpointOf } from '../federation/trust-chain/fetch-endpoint.ts';
import type { StatementSource } from '../federation/trust-chain/statement-source.ts';
import type { OutboundClient } from '../outbound/outbound-client.ts';

/** The part of the outbound client that retrieves statements. */
export type HttpGet = Pick<OutboundClient, 'get'>;

export interface HttpStatementSourceOptions {
  outbound: HttpGet;
  /** Asked for each statement, so that each is judged at the moment of its arrival. */
  validation: () => ValidationOptions;
}

/**
 * Retrieves and validates statements. Nothing is followed but the URL itself: no redirect, no other place.
 *
 * The source's methods throw FederationError entity_not_found when the configuration definitely does not exist and
 * subject_not_active when the superior has no statement about the subject (both are a 404); server_unavailable,
 * http_status_unexpected, content_type_unexpected, fetch_endpoint_missing; what the outbound client throws; and every
 * reason of §3.2.
 */
export function createHttpStatementSource({ outbound, validation }: HttpStatementSourceOptions): StatementSource {
  return {
    async entityConfiguration(entity, signal) {
      const jwt = await retrieveEntityConfiguration(outbound, entity, signal);
      return await validateEntityConfiguration(jwt, entity, validation());
    },

    async subordinateStatement(superior, subject, signal) {
      const { iss: entityIdentifier, jwks } = superior.claims;
      const url = withQuery(fetchEndpointOf(superior), [['sub', subject]]);
      const jwt = await retrieve(outbound, url, 'subject_not_active', signal);
      return await validateSubordinateStatement(jwt, subject, { entityIdentifier, jwks }, validation());
    },
  };
}

/** The Entity Configuration that an entity publishes, as it comes: nothing in it is checked yet. */
export async function retrieveEntityConfiguration(
  outbound: HttpGet,
  entity: EntityIdentifier,
  signal?: AbortSignal,
): Promise<string> {
  return await retrieve(outbound, entityConfigurationUrl(entity), 'entity_not_found', signal);
}

async function retrieve(outbound: HttpGet, url: string, notFound: Reason, signal?: AbortSignal): Promise<string> {
  const { status, contentType, body } = await getPatiently(outbound, url, signal);
  const { host } = new URL(url);
  if (status === 404) throw new FederationError(notFound, notFoundMessage(notFound, host));
  if (status === 429 || status >= 500) {
    throw new FederationError('server_unavailable', `${host} answered with status ${status}; try again later`);
  }
  if (status !== 200) throw new FederationError('http_status_unexpected', `${host} answered with status ${status}`);
  if (contentType !== MEDIA_TYPE.entityStatement) {
    const message = `${host} answered with ${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.entityStatement}`;
    throw new FederationError('content_type_unexpected', message);
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
}

/** Tries once more when a connection failed, as one does that the other side closed while it was idle (§10.5). */
async function getPatiently(
  outbound: HttpGet,
  url: string,
  signal?: AbortSignal,
): Promise<Awaited<ReturnType<HttpGet['get']>>> {
  const options = { accept: [MEDIA_TYPE.entityStatement], maxResponseBytes: MAX_JWT_LENGTH, signal };
  try {
    return await outbound.get(url, options);
  } catch (error) {
    if (!(error instanceof FederationError) || error.reason !== 'connection_failed' || signal?.aborted) throw error;
    return await outbound.get(url, options);
  }
}

function notFoundMessage(reason: Reason, host: string): string {
  return reason === 'entity_not_found'
    ? `${host} has no Entity Configuration of this entity (404)`
    : `${host} vouches for no such active subject (404)`;
}
