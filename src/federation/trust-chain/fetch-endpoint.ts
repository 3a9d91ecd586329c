/** Where a superior hands out its Subordinate Statements. @see OIDFED §5.1.1, §8.1 */
import { FederationError } from '../errors.ts';
import type { EntityStatement } from '../statement/entity-statement.ts';

/**
 * Reads the fetch endpoint from a superior's own Entity Configuration; what others state about it does not count.
 * @throws FederationError fetch_endpoint_missing
 */
export function fetchEndpointOf(superior: EntityStatement): string {
  const endpoint = superior.claims.metadata?.['federation_entity']?.['federation_fetch_endpoint'];
  if (typeof endpoint === 'string') return endpoint;
  const message = `${superior.claims.iss} publishes no fetch endpoint, so it can have no subordinates`;
  throw new FederationError('fetch_endpoint_missing', message, '/metadata/federation_entity/federation_fetch_endpoint');
}
