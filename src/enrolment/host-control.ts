/** Whether a host name points here: whoever can let it answer for us may have entities hosted under it. @see OIDFED §9 */
import { FederationError } from '../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { OutboundClient } from '../outbound/outbound-client.ts';

/** Header field in which the place of a hosted entity names its record, on the entity's own host, whatever its state. */
export const HOSTING_HEADER = 'holdfast-hosting';

/**
 * Asks for the configuration as anybody would. The id of the record answers: nobody else knew it before, and it says
 * for which enrolment the name was pointed here.
 * @throws FederationError entity_not_found, and those of the request
 */
export async function requirePointedHere(
  outbound: Pick<OutboundClient, 'get'>,
  entityIdentifier: EntityIdentifier,
  entityId: string,
): Promise<void> {
  const url = entityConfigurationUrl(entityIdentifier);
  const { headers } = await outbound.get(url, { accept: [MEDIA_TYPE.entityStatement] });
  if (headers.get(HOSTING_HEADER) === entityId) return;
  throw notPointedHere(entityIdentifier);
}

export function notPointedHere(entityIdentifier: EntityIdentifier): FederationError {
  const url = entityConfigurationUrl(entityIdentifier);
  const message = `${url} is not answered by this service; point the host name here, then run the checks again`;
  return new FederationError('entity_not_found', message);
}
