/** Changes a contact; another address has to be confirmed anew. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../../federation/json.ts';
import { contacts } from '../../../storage/schema/contacts.ts';
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension } from '../../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../../change.ts';
import { cureFindings } from '../../life-cycle/directory-findings.ts';
import { nextVersion } from '../lock-organisation.ts';
import { readOrganisation } from '../read-organisation.ts';
import { type Contact, type ContactFields, contactSnapshot } from './contact.ts';
import { lockContact } from './lock-contact.ts';
import { readContact } from './read-contact.ts';
import { requireContacts } from './required-contacts.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, contact_missing when an active organisation would
 *   lack a contact that its authority asks for
 */
export async function updateContact(
  context: ChangeContext,
  organisationId: string,
  contactId: string,
  changes: Partial<ContactFields>,
  expectedVersion?: number,
): Promise<Contact> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.updateContact.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const { organisation, contact: before } = await lockContact(tx, organisationId, contactId);
    requireVersion(before, expectedVersion);
    const changed = withChanges(before, changes);
    const confirmation = changed.email === before.email ? {} : { verifiedAt: null, lastConfirmedAt: null };
    const after: Contact = { ...changed, ...confirmation, version: before.version + 1 };
    if (jsonEquals(contactSnapshot(before), contactSnapshot(after))) return;
    await tx.update(contacts).set(after).where(eq(contacts.id, contactId));
    if (organisation.state === 'active' && after.type !== before.type) await requireContacts(tx, organisation);
    if (after.email !== before.email) await cureFindings(tx, contactId);
    await nextVersion(tx, organisation);
    record({
      action: 'contact.update',
      authorityId,
      subjectKind: 'contact',
      subjectId: contactId,
      before: contactSnapshot(before),
      after: contactSnapshot(after),
    });
  });
  return readContact(context.db, context.actor, organisationId, contactId);
}
