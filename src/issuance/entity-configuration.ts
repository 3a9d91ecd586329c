/** The claims of an authority's own Entity Configuration, times aside. @see OIDFED §3.1, §5.1.1, §8.8.1, §9 */
import type { JsonObject } from '../federation/json.ts';
import { ALGORITHM_NAMES } from '../federation/signature.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import { endpointUrl } from './authority-endpoints.ts';

export function buildEntityConfiguration({ authority, keys }: ServedAuthority): JsonObject {
  const { entityIdentifier, authorityHints } = authority;
  const claims: JsonObject = {
    iss: entityIdentifier,
    sub: entityIdentifier,
    jwks: { keys: keys.filter((key) => key.state === 'active').map((key) => key.publicJwk) },
    metadata: {
      federation_entity: {
        ...authority.metadata,
        organization_name: authority.name,
        federation_fetch_endpoint: endpointUrl(entityIdentifier, 'fetch'),
        federation_list_endpoint: endpointUrl(entityIdentifier, 'list'),
        federation_resolve_endpoint: endpointUrl(entityIdentifier, 'resolve'),
        federation_resolve_endpoint_auth_methods: ['none', 'private_key_jwt'],
        endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
        federation_historical_keys_endpoint: endpointUrl(entityIdentifier, 'historicalKeys'),
      },
    },
  };
  if (authorityHints.length > 0) claims['authority_hints'] = authorityHints;
  return claims;
}
