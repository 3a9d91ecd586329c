/** Metadata of the Entity Type `openid_relying_party`. @see OIDFED §5.1.2 */
import type { JsonObject } from '../json.ts';
import { checkStringArray, type MetadataContext } from './entity-type-check.ts';

/** @throws FederationError metadata_invalid */
export function checkOpenIdRelyingParty(parameters: JsonObject, _context: MetadataContext, at: string): void {
  checkStringArray(parameters, 'client_registration_types', at);
}
