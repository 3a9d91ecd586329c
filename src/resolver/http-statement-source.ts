/** Entity Configurations and Subordinate Statements of others, over HTTP. @see OIDFED §8.1, §9 */
import { FederationError, type Reason } from '../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl, withQuery } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import {
  type ValidationOptions,
  validateEntityConfiguration,
  validateSubordinateStatement,
} from '../federation/statement/validate-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import { fetchEndpointOf } from '../federation/trust-chain/fetch-endpoint.ts';
import type { StatementSource } from '../federation/trust-chain/statement-source.ts';
import type { OutboundClient, OutboundRequestOptions } from '../outbound/outbound-client.ts';
import { freshnessOf } from './response-freshness.ts';
import type {
  KeptStatement,
  ObtainedStatement,
  Retrieval,
  StatementCache,
  StatementName,
  StatementRequest,
} from './statement-cache.ts';

/** The part of the outbound client that retrieves statements. */
export type HttpGet = Pick<OutboundClient, 'get'>;

/** The same, told whether what it is asked for was obtained before, as whoever limits requests wants to know. */
export interface StatementClient {
  get(url: string, options: OutboundRequestOptions & { isKnown?: boolean }): ReturnType<OutboundClient['get']>;
}

/** What was retrieved less than so long ago is not known well enough to be asked for again beyond all limits. */
const KNOWN_REST_SECONDS = 30;

export interface HttpStatementSourceOptions {
  outbound: StatementClient;
  cache: StatementCache;
  /** Asked for each statement, so that each is judged at the moment of its arrival. */
  validation: () => ValidationOptions;
  /** Ask again for what will soon be stale. */
  isRefresh?: boolean;
  /** What was retrieved before does not do, however fresh it is. */
  since?: (name: StatementName) => NumericDate;
  /** Hears how old each statement is. */
  onObtained?: (obtained: ObtainedStatement) => void;
}

/**
 * Retrieves and validates statements, or takes those from the cache that are fresh. Nothing is followed but the URL
 * itself: no redirect, no other place.
 *
 * The source's methods throw FederationError entity_not_found when the configuration definitely does not exist and
 * subject_not_active when the superior has no statement about the subject (both are a 404); server_unavailable,
 * http_status_unexpected, content_type_unexpected, fetch_endpoint_missing; what the outbound client throws; and every
 * reason of §3.2.
 */
export function createHttpStatementSource(options: HttpStatementSourceOptions): StatementSource {
  const { outbound, cache, validation, isRefresh, since, onObtained } = options;
  const obtain = async (request: StatementRequest): Promise<EntityStatement> => {
    const obtained = await cache.obtain({ ...request, isRefresh, since: since?.(request.name) });
    onObtained?.(obtained);
    return obtained.statement;
  };
  const get = (known: KeptStatement | undefined): HttpGet['get'] => {
    const isKnown = known !== undefined && validation().now - known.retrievedAt >= KNOWN_REST_SECONDS;
    return (url, request) => outbound.get(String(url), { ...request, isKnown });
  };
  return {
    async entityConfiguration(entity, signal) {
      const url = entityConfigurationUrl(entity);
      return await obtain({
        name: { issuer: entity, subject: entity },
        retrieve: (known, stop) =>
          retrieve({ get: get(known) }, url, { notFound: 'entity_not_found', known, signal: stop }),
        validate: (jwt) => validateEntityConfiguration(jwt, entity, validation()),
        signal,
      });
    },

    async subordinateStatement(superior, subject, signal) {
      const { iss: entityIdentifier, jwks } = superior.claims;
      const url = withQuery(fetchEndpointOf(superior), [['sub', subject]]);
      return await obtain({
        name: { issuer: entityIdentifier, subject },
        retrieve: (known, stop) =>
          retrieve({ get: get(known) }, url, { notFound: 'subject_not_active', known, signal: stop }),
        validate: (jwt) => validateSubordinateStatement(jwt, subject, { entityIdentifier, jwks }, validation()),
        signal,
      });
    },
  };
}

/** The Entity Configuration that an entity publishes now, as it comes: nothing in it is checked yet. */
export async function retrieveEntityConfiguration(
  outbound: HttpGet,
  entity: EntityIdentifier,
  signal?: AbortSignal,
): Promise<string> {
  const { jwt = '' } = await retrieve(outbound, entityConfigurationUrl(entity), {
    notFound: 'entity_not_found',
    signal,
  });
  return jwt;
}

interface RetrievalOptions {
  /** What a 404 means. */
  notFound: Reason;
  /** What the server may confirm instead of sending it again. */
  known?: KeptStatement | undefined;
  signal?: AbortSignal | undefined;
}

async function retrieve(
  outbound: HttpGet,
  url: string,
  { notFound, known, signal }: RetrievalOptions,
): Promise<Retrieval> {
  const response = await getPatiently(outbound, url, known?.etag, signal);
  const { status, contentType, body, headers } = response;
  const { seconds: freshSeconds, isTransient } = freshnessOf(response);
  const { host } = new URL(url);
  if (status === 304 && known?.etag !== undefined)
    return { jwt: undefined, etag: undefined, freshSeconds, isTransient };
  if (status === 404) throw new FederationError(notFound, notFoundMessage(notFound, host));
  if (status === 429 || status >= 500) {
    throw new FederationError('server_unavailable', `${host} answered with status ${status}; try again later`);
  }
  if (status !== 200) throw new FederationError('http_status_unexpected', `${host} answered with status ${status}`);
  if (contentType !== MEDIA_TYPE.entityStatement) {
    const message = `${host} answered with ${contentType ?? 'no media type'} instead of ${MEDIA_TYPE.entityStatement}`;
    throw new FederationError('content_type_unexpected', message);
  }
  const jwt = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body);
  return { jwt, etag: etagOf(headers.get('etag')), freshSeconds, isTransient };
}

/** Longer ones are not worth their room. */
const MAX_ETAG_LENGTH = 256;

function etagOf(field: string | undefined): string | undefined {
  return field !== undefined && field.length <= MAX_ETAG_LENGTH && /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(field)
    ? field
    : undefined;
}

/** Tries once more when a connection failed, as one does that the other side closed while it was idle (§10.5). */
async function getPatiently(
  outbound: HttpGet,
  url: string,
  ifNoneMatch: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Awaited<ReturnType<HttpGet['get']>>> {
  const options = { accept: [MEDIA_TYPE.entityStatement], ifNoneMatch, signal };
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
