/** Metadata to begin with, for a person to complete. @see OIDFED §5.1, §5.2.2 */
import type { JsonObject } from '../../federation/json.ts';

/** What entities of a type publish at least; a type that is not here begins empty. */
const BEGINNINGS: Readonly<Record<string, (entity: string) => JsonObject>> = {
  openid_relying_party: (entity) => ({
    client_registration_types: ['automatic'],
    redirect_uris: [`${withoutSlash(entity)}/callback`],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt',
  }),
  openid_provider: (entity) => ({
    issuer: entity,
    client_registration_types_supported: ['automatic'],
    authorization_endpoint: `${withoutSlash(entity)}/authorize`,
    token_endpoint: `${withoutSlash(entity)}/token`,
    jwks_uri: `${withoutSlash(entity)}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
  }),
  oauth_authorization_server: (entity) => ({
    issuer: entity,
    authorization_endpoint: `${withoutSlash(entity)}/authorize`,
    token_endpoint: `${withoutSlash(entity)}/token`,
    response_types_supported: ['code'],
  }),
};

export function initialMetadata(entity: string, types: readonly string[], name: string | undefined): JsonObject {
  const metadata: JsonObject = {};
  if (name !== undefined || types.includes('federation_entity')) {
    metadata['federation_entity'] = name === undefined ? {} : { organization_name: name };
  }
  for (const type of types) metadata[type] ??= BEGINNINGS[type]?.(entity) ?? {};
  return metadata;
}

function withoutSlash(identifier: string): string {
  return identifier.replace(/\/$/, '');
}
