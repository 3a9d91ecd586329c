/** Adds an organisation to an authority's registry; it is pending until somebody approves it. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { invalidField } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { contactSnapshot, type NewContact } from './contacts/contact.ts';
import { insertContact, requireRoomForContacts } from './contacts/insert-contact.ts';
import {
  type Organisation,
  type OrganisationFields,
  type OrganisationRow,
  organisationSnapshot,
} from './organisation.ts';
import { requireParent } from './parent-organisation.ts';
import { readOrganisation } from './read-organisation.ts';
import { closedRecordOf, inputRegistration, withUniqueRegistration } from './registration.ts';

/** What an organisation begins with: its legal name is enough. */
export interface NewOrganisation extends Partial<OrganisationFields> {
  legalName: string;
  /** The closed record that it follows; without one, the latest of the same registration. */
  previousId?: string;
  contacts?: readonly NewContact[];
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, organisation_exists, limit_reached,
 *   idempotency_key_reused
 */
export async function addOrganisation(
  context: ChangeContext,
  authorityId: string,
  fields: NewOrganisation,
  idempotency?: Idempotency,
): Promise<Organisation> {
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  await readAuthority(context.db, context.actor, authorityId);
  const { legalName, parentId = null, tags = [], contacts = [] } = fields;
  const registration = inputRegistration(fields.registration ?? null);
  requireRoomForContacts(contacts.length);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (organisationId) => {
      if (parentId !== null) await requireParent(tx, authorityId, parentId);
      if (fields.previousId !== undefined) await requireClosed(tx, authorityId, fields.previousId);
      const previousId = fields.previousId ?? (await closedRecordOf(tx, authorityId, registration)) ?? null;
      const organisation: OrganisationRow = {
        id: organisationId,
        authorityId,
        legalName,
        ...registration,
        previousId,
        parentId,
        tags,
        state: 'pending',
        stateReason: null,
        stateReasonCode: null,
        suspendedUntil: null,
        stateChangedAt: context.now,
        version: 1,
        createdAt: context.now,
      };
      await withUniqueRegistration(tx, organisation, (writer) => writer.insert(organisations).values(organisation));
      record({
        action: 'organisation.add',
        authorityId,
        subjectKind: 'organisation',
        subjectId: organisationId,
        after: organisationSnapshot(organisation),
      });
      for (const given of contacts) {
        const place = { id: context.newId(), organisationId, now: context.now };
        const contact = await insertContact(tx, place, given);
        record({
          action: 'contact.add',
          authorityId,
          subjectKind: 'contact',
          subjectId: contact.id,
          after: contactSnapshot(contact),
        });
      }
    });
  });
  return readOrganisation(context.db, context.actor, id);
}

/** @throws RegistryError validation_failed */
async function requireClosed(tx: Tx, authorityId: string, previousId: string): Promise<void> {
  const [previous] = await tx
    .select({ authorityId: organisations.authorityId, state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, previousId));
  if (previous?.authorityId !== authorityId) throw invalidField('/previousId', 'is no organisation of this authority');
  if (LIVE_STATES.includes(previous.state)) {
    throw invalidField('/previousId', `is ${previous.state}; only a closed record is followed by another`);
  }
}
