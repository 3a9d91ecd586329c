/** Metadata of the Entity Type `federation_entity`: federation endpoints and their authentication. @see OIDFED §5.1.1 */
import { FederationError, pointer } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { checkStringArray, checkUrl, type MetadataContext } from './entity-type-check.ts';
import type { Metadata } from './metadata.ts';

/** Parameters that name the endpoints of §8. */
export const FEDERATION_ENDPOINTS = [
  'federation_fetch_endpoint',
  'federation_list_endpoint',
  'federation_resolve_endpoint',
  'federation_trust_mark_status_endpoint',
  'federation_trust_mark_list_endpoint',
  'federation_trust_mark_endpoint',
  'federation_historical_keys_endpoint',
] as const;

/** Endpoints that every Trust Anchor and Intermediate has, and no Leaf. */
const SUPERIOR_ENDPOINTS = ['federation_fetch_endpoint', 'federation_list_endpoint'] as const;

/** Federation Entity Keys stand in the claim `jwks` of the statement and nowhere else (§5.2.1). */
const FORBIDDEN_PARAMETERS = ['jwks', 'jwks_uri', 'signed_jwks_uri'] as const;

/** @throws FederationError metadata_invalid */
export function checkFederationEntity(parameters: JsonObject, context: MetadataContext, at: string): void {
  for (const name of FORBIDDEN_PARAMETERS) {
    if (Object.hasOwn(parameters, name)) {
      const message = 'must not occur here: Federation Entity Keys stand in the top-level claim jwks';
      throw new FederationError('metadata_invalid', message, at + pointer(name));
    }
  }
  for (const endpoint of FEDERATION_ENDPOINTS) {
    checkUrl(parameters, endpoint, context, at);
    checkStringArray(parameters, `${endpoint}_auth_methods`, at);
  }
  checkSigningAlgorithms(parameters, at);
}

function checkSigningAlgorithms(parameters: JsonObject, at: string): void {
  const name = 'endpoint_auth_signing_alg_values_supported';
  checkStringArray(parameters, name, at);
  const algorithms = parameters[name];
  if (Array.isArray(algorithms) && algorithms.includes('none')) {
    throw new FederationError('metadata_invalid', 'must not list none', at + pointer(name));
  }
}

/**
 * Judges the endpoints of whole metadata by the position of its entity, which metadata alone does not tell: a superior
 * (Trust Anchor or Intermediate) publishes a fetch and a list endpoint, a Leaf neither, and whoever has any federation
 * endpoint declares `federation_entity`.
 * @throws FederationError metadata_invalid
 * @see OIDFED §5.1.1, §9.2
 */
export function checkEndpointsOfPosition(metadata: Metadata, position: 'superior' | 'leaf', at = '/metadata'): void {
  const federationEntity = metadata['federation_entity'];
  const typeAt = `${at}/federation_entity`;
  if (federationEntity === undefined) {
    checkNoStrayEndpoint(metadata, at);
    if (position === 'leaf') return;
    throw new FederationError('metadata_invalid', 'a Trust Anchor or Intermediate declares federation_entity', typeAt);
  }
  for (const endpoint of SUPERIOR_ENDPOINTS) {
    if (Object.hasOwn(federationEntity, endpoint) === (position === 'superior')) continue;
    const message = position === 'leaf' ? 'a Leaf must not publish it' : 'a Trust Anchor or Intermediate publishes it';
    throw new FederationError('metadata_invalid', message, typeAt + pointer(endpoint));
  }
}

function checkNoStrayEndpoint(metadata: Metadata, at: string): void {
  for (const [entityType, parameters] of Object.entries(metadata)) {
    for (const endpoint of FEDERATION_ENDPOINTS) {
      if (Object.hasOwn(parameters, endpoint)) {
        const message = 'belongs into federation_entity, which the entity has to declare';
        throw new FederationError('metadata_invalid', message, at + pointer(entityType, endpoint));
      }
    }
  }
}
