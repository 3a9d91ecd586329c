/** Records that somebody reached a contact and that it is right. */
import { eq } from 'drizzle-orm';
import { contacts } from '../../../storage/schema/contacts.ts';
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension } from '../../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../../change.ts';
import { cureFindings } from '../../life-cycle/directory-findings.ts';
import { nextVersion } from '../lock-organisation.ts';
import { readOrganisation } from '../read-organisation.ts';
import { type Contact, contactSnapshot } from './contact.ts';
import { lockContact } from './lock-contact.ts';
import { readContact } from './read-contact.ts';

/**
 * @param reason how it was confirmed
 * @throws RegistryError not_found, role_missing, version_mismatch
 */
export async function confirmContact(
  context: ChangeContext,
  organisationId: string,
  contactId: string,
  reason: string,
  expectedVersion?: number,
): Promise<Contact> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(despiteSuspension(context.actor), ACCESS.confirmContact.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const { organisation, contact: before } = await lockContact(tx, organisationId, contactId);
    requireVersion(before, expectedVersion);
    const times = { verifiedAt: before.verifiedAt ?? context.now, lastConfirmedAt: context.now };
    const change = { ...times, version: before.version + 1 };
    await tx.update(contacts).set(change).where(eq(contacts.id, contactId));
    await cureFindings(tx, contactId);
    await nextVersion(tx, organisation);
    record({
      action: 'contact.confirm',
      authorityId,
      subjectKind: 'contact',
      subjectId: contactId,
      before: contactSnapshot(before),
      after: contactSnapshot({ ...before, ...change }),
      reason,
    });
  });
  return readContact(context.db, context.actor, organisationId, contactId);
}
