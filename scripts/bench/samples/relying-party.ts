/** What a Relying Party publishes and what its superiors demand, as large as in federations that exist. */
import type { JsonObject } from '../../../src/federation/json.ts';

export const ENTITY_TYPES = ['openid_relying_party'];

/** Metadata of a Relying Party. */
export function relyingPartyMetadata(identifier: string, index: number): JsonObject {
  return {
    client_name: `Partner ${index}`,
    application_type: 'web',
    client_registration_types: ['automatic'],
    redirect_uris: [`${identifier}/callback`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'ES256',
    scope: 'openid profile',
    contacts: [`ops@partner-${index}.example`],
    jwks_uri: `${identifier}/jwks`,
  };
}

/** Metadata policy of a Trust Anchor. */
export const ANCHOR_POLICY: JsonObject = {
  openid_relying_party: {
    grant_types: { subset_of: ['authorization_code', 'refresh_token'] },
    token_endpoint_auth_method: { one_of: ['private_key_jwt', 'self_signed_tls_client_auth'] },
    id_token_signed_response_alg: { one_of: ['ES256', 'PS256'], default: 'ES256' },
  },
};

/** Metadata policy of an Intermediate below it. */
export const INTERMEDIATE_POLICY: JsonObject = {
  openid_relying_party: {
    token_endpoint_auth_method: { value: 'private_key_jwt' },
    contacts: { add: ['security@federation.example'], essential: true },
  },
};

/** The same demands in operators that every client can merge: some know no `value` below a `one_of`. */
export const MERGEABLE_INTERMEDIATE_POLICY: JsonObject = {
  openid_relying_party: {
    token_endpoint_auth_method: { one_of: ['private_key_jwt'] },
    contacts: { add: ['security@federation.example'], essential: true },
  },
};
