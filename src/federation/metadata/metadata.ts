/** The `metadata` claim: an object of parameters for each Entity Type that the entity plays. @see OIDFED §5 */
import { FederationError, pointer } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { EntityTypeCheck, MetadataContext } from './entity-type-check.ts';
import { checkFederationEntity } from './federation-entity.ts';
import { checkKeyParameters } from './key-parameters.ts';
import { checkOAuthAuthorizationServer } from './oauth-authorization-server.ts';
import { checkOpenIdProvider } from './openid-provider.ts';
import { checkOpenIdRelyingParty } from './openid-relying-party.ts';

/** Parameters by Entity Type Identifier. Types and parameters that we do not know are carried through. */
export type Metadata = { [entityType: string]: JsonObject };

/**
 * Rules by Entity Type. The standard says nothing of its own about `oauth_client` and `oauth_resource`; they and
 * unknown types obey the rules for every type only.
 */
const ENTITY_TYPE_CHECKS: ReadonlyMap<string, EntityTypeCheck> = new Map([
  ['federation_entity', checkFederationEntity],
  ['openid_provider', checkOpenIdProvider],
  ['openid_relying_party', checkOpenIdRelyingParty],
  ['oauth_authorization_server', checkOAuthAuthorizationServer],
]);

/**
 * Checks a `metadata` claim: its shape, no `null` as a parameter's value, and the few parameters that OpenID Federation
 * itself defines. It is no type checker for the parameters of other protocols.
 * @param at place of the claim, a JSON Pointer
 * @throws FederationError metadata_invalid, metadata_null, jwk_private
 * @see OIDFED §5.1, §5.2
 */
export function checkMetadata(value: unknown, context: MetadataContext, at = '/metadata'): Metadata {
  if (!isJsonObject(value)) {
    throw new FederationError('metadata_invalid', 'must be an object of Entity Types', at);
  }
  for (const [entityType, parameters] of Object.entries(value)) {
    const typeAt = at + pointer(entityType);
    if (!isJsonObject(parameters)) {
      throw new FederationError('metadata_invalid', 'must be an object of parameters, even if it has none', typeAt);
    }
    checkNoNull(parameters, typeAt);
    ENTITY_TYPE_CHECKS.get(entityType)?.(parameters, context, typeAt);
    checkKeyParameters(parameters, context, typeAt);
  }
  return value as Metadata;
}

/** `null` deeper inside a parameter's value is no concern of the standard. */
function checkNoNull(parameters: JsonObject, at: string): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) {
      throw new FederationError('metadata_null', 'must not be null; leave the parameter out', at + pointer(name));
    }
  }
}
