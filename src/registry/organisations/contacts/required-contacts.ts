/** Whom an active organisation must be reachable by, as its authority says. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { RegistryError } from '../../registry-error.ts';
import { contactsOf } from './read-contact.ts';

/**
 * Called with the organisation's record held, so that no contact comes or goes meanwhile.
 * @throws RegistryError contact_missing
 */
export async function requireContacts(tx: Tx, organisation: { id: string; authorityId: string }): Promise<void> {
  const [authority] = await tx
    .select({ required: authorities.requiredContactTypes })
    .from(authorities)
    .where(eq(authorities.id, organisation.authorityId));
  const present = (await contactsOf(tx, [organisation.id])).get(organisation.id) ?? [];
  const missing = (authority?.required ?? []).filter((type) => present.every((contact) => contact.type !== type));
  if (missing.length === 0) return;
  const message = `an active organisation of this authority has a contact of each type: ${missing.join(', ')} missing`;
  throw new RegistryError('contact_missing', message, { missing });
}
