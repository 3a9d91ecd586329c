/** Adds a contact to an organisation; nobody has confirmed it yet. */
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension } from '../../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../../change.ts';
import { lockOrganisation, nextVersion } from '../lock-organisation.ts';
import { readOrganisation } from '../read-organisation.ts';
import { type Contact, contactSnapshot, type NewContact } from './contact.ts';
import { insertContact, requireRoomForContacts } from './insert-contact.ts';
import { contactsOf, readContact } from './read-contact.ts';

/** @throws RegistryError not_found, role_missing, limit_reached, idempotency_key_reused */
export async function addContact(
  context: ChangeContext,
  organisationId: string,
  fields: NewContact,
  idempotency?: Idempotency,
): Promise<Contact> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.addContact.roles, authorityId, organisationId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (contactId) => {
      const organisation = await lockOrganisation(tx, organisationId);
      const present = (await contactsOf(tx, [organisationId])).get(organisationId) ?? [];
      requireRoomForContacts(present.length + 1);
      const contact = await insertContact(tx, { id: contactId, organisationId, now: context.now }, fields);
      await nextVersion(tx, organisation);
      record({
        action: 'contact.add',
        authorityId,
        subjectKind: 'contact',
        subjectId: contactId,
        after: contactSnapshot(contact),
      });
    });
  });
  return readContact(context.db, context.actor, organisationId, id);
}
