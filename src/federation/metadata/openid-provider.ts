/** Metadata of the Entity Type `openid_provider`. @see OIDFED §5.1.3 */
import { FederationError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { checkStringArray, checkUrl, type MetadataContext } from './entity-type-check.ts';
import { checkIssuer } from './issuer-parameter.ts';

/** @throws FederationError metadata_invalid */
export function checkOpenIdProvider(parameters: JsonObject, context: MetadataContext, at: string): void {
  checkIssuer(parameters, context, at);
  checkStringArray(parameters, 'client_registration_types_supported', at);
  checkUrl(parameters, 'federation_registration_endpoint', context, at);
  const registrationTypes = parameters['client_registration_types_supported'];
  if (
    context.isConfiguration &&
    Array.isArray(registrationTypes) &&
    registrationTypes.includes('explicit') &&
    !Object.hasOwn(parameters, 'federation_registration_endpoint')
  ) {
    const message = 'is required where explicit registration is supported';
    throw new FederationError('metadata_invalid', message, `${at}/federation_registration_endpoint`);
  }
}
