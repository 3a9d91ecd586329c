/** Where a Trust Mark issuer answers for the status of its marks. @see OIDFED §5.1.1, §8.4 */
import type { EntityStatement } from '../statement/entity-statement.ts';

const ENDPOINT = 'federation_trust_mark_status_endpoint';

/**
 * Reads the status endpoint from the issuer's own Entity Configuration; what superiors state about it does not count.
 * An endpoint that serves authenticated callers only is none that a relying party can ask (§8.8.1).
 */
export function statusEndpointOf(issuer: EntityStatement): string | undefined {
  const parameters = issuer.claims.metadata?.['federation_entity'];
  const endpoint = parameters?.[ENDPOINT];
  const methods = parameters?.[`${ENDPOINT}_auth_methods`];
  if (typeof endpoint !== 'string' || (Array.isArray(methods) && !methods.includes('none'))) return undefined;
  return endpoint;
}
