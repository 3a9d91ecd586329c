/** Takes hold of a contact and of its organisation until the transaction ends. */
import { and, eq, isNull } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { contacts } from '../../../storage/schema/contacts.ts';
import { notFound } from '../../actor.ts';
import { lockOrganisation } from '../lock-organisation.ts';
import type { OrganisationRow } from '../organisation.ts';
import type { Contact } from './contact.ts';

/** @throws RegistryError not_found, also when it was removed */
export async function lockContact(
  tx: Tx,
  organisationId: string,
  contactId: string,
): Promise<{ organisation: OrganisationRow; contact: Contact }> {
  const organisation = await lockOrganisation(tx, organisationId);
  const [contact] = await tx
    .select()
    .from(contacts)
    .where(and(eq(contacts.id, contactId), eq(contacts.organisationId, organisationId), isNull(contacts.removedAt)))
    .for('update');
  if (contact === undefined) throw notFound('contact', contactId);
  return { organisation, contact };
}
