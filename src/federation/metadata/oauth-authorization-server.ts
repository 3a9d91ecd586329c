/** Metadata of the Entity Type `oauth_authorization_server`. @see OIDFED §5.1.4 */
import type { JsonObject } from '../json.ts';
import type { MetadataContext } from './entity-type-check.ts';
import { checkIssuer } from './issuer-parameter.ts';

/** @throws FederationError metadata_invalid */
export function checkOAuthAuthorizationServer(parameters: JsonObject, context: MetadataContext, at: string): void {
  checkIssuer(parameters, context, at);
}
