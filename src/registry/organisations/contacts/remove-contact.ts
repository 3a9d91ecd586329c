/** Removes a contact; its record stays for the history. */
import { eq } from 'drizzle-orm';
import { contacts } from '../../../storage/schema/contacts.ts';
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension } from '../../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../../change.ts';
import { cureFindings } from '../../life-cycle/directory-findings.ts';
import { nextVersion } from '../lock-organisation.ts';
import { readOrganisation } from '../read-organisation.ts';
import { contactSnapshot } from './contact.ts';
import { lockContact } from './lock-contact.ts';
import { requireContacts } from './required-contacts.ts';

/**
 * @throws RegistryError not_found, role_missing, version_mismatch, contact_missing when an active organisation would
 *   lack a contact that its authority asks for
 */
export async function removeContact(
  context: ChangeContext,
  organisationId: string,
  contactId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.removeContact.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const { organisation, contact: before } = await lockContact(tx, organisationId, contactId);
    requireVersion(before, expectedVersion);
    const change = { removedAt: context.now, version: before.version + 1 };
    await tx.update(contacts).set(change).where(eq(contacts.id, contactId));
    if (organisation.state === 'active') await requireContacts(tx, organisation);
    await cureFindings(tx, contactId);
    await nextVersion(tx, organisation);
    record({
      action: 'contact.remove',
      authorityId,
      subjectKind: 'contact',
      subjectId: contactId,
      before: contactSnapshot(before),
      after: contactSnapshot({ ...before, ...change }),
    });
  });
}
