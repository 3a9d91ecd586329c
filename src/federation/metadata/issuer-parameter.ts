/** The parameter `issuer` of OpenID Providers and OAuth Authorization Servers. @see OIDFED §5.1.3, §5.1.4 */
import { FederationError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { MetadataContext } from './entity-type-check.ts';

/**
 * Whole metadata of a known entity must have an `issuer`; wherever it stands, it is the Entity Identifier.
 * @throws FederationError metadata_invalid
 */
export function checkIssuer(parameters: JsonObject, { subject, isConfiguration }: MetadataContext, at: string): void {
  if (subject === undefined) return;
  if (!Object.hasOwn(parameters, 'issuer')) {
    if (isConfiguration) throw new FederationError('metadata_invalid', 'is required', `${at}/issuer`);
  } else if (parameters['issuer'] !== subject) {
    const message = `must be the Entity Identifier ${subject}, character by character`;
    throw new FederationError('metadata_invalid', message, `${at}/issuer`);
  }
}
