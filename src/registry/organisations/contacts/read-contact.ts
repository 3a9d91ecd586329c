/** Reads contacts, as far as the reader reaches their organisations. */
import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import { composedOnce } from '../../../storage/composed-once.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { type ContactType, contacts } from '../../../storage/schema/contacts.ts';
import { organisations } from '../../../storage/schema/organisations.ts';
import { ACCESS } from '../../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../../page.ts';
import { isRecordId } from '../../record-id.ts';
import type { Contact } from './contact.ts';

/** @throws RegistryError not_found (also when the organisation is out of reach, or another's), role_missing */
export async function readContact(
  db: Db | Tx,
  actor: Actor,
  organisationId: string,
  contactId: string,
): Promise<Contact> {
  await requireOrganisation(db, actor, organisationId);
  if (!isRecordId(contactId)) throw notFound('contact', contactId);
  const [contact] = await db
    .select()
    .from(contacts)
    .where(and(eq(contacts.id, contactId), eq(contacts.organisationId, organisationId), isNull(contacts.removedAt)));
  if (contact === undefined) throw notFound('contact', contactId);
  return contact;
}

export interface ContactFilter {
  type?: ContactType;
}

/** Those that were not removed, oldest first. @throws RegistryError not_found, role_missing */
export async function listContacts(
  db: Db,
  actor: Actor,
  organisationId: string,
  filter: ContactFilter,
  request: PageRequest,
): Promise<Page<Contact>> {
  await requireOrganisation(db, actor, organisationId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(contacts)
    .where(
      and(
        eq(contacts.organisationId, organisationId),
        isNull(contacts.removedAt),
        filter.type === undefined ? undefined : eq(contacts.type, filter.type),
        after === undefined ? undefined : gt(contacts.id, after),
      ),
    )
    .orderBy(asc(contacts.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

async function requireOrganisation(db: Db | Tx, actor: Actor, organisationId: string): Promise<void> {
  requireRole(actor, ACCESS.readContact.roles);
  if (!isRecordId(organisationId)) throw notFound('organisation', organisationId);
  const [organisation] = await db
    .select({ authorityId: organisations.authorityId })
    .from(organisations)
    .where(eq(organisations.id, organisationId));
  if (organisation === undefined || !reaches(actor, organisation.authorityId, organisationId)) {
    throw notFound('organisation', organisationId);
  }
}

/** Contacts that were not removed, oldest first, by organisation. */
export async function contactsOf(
  db: Db | Tx,
  organisationIds: readonly string[],
): Promise<ReadonlyMap<string, Contact[]>> {
  const byOrganisation = new Map<string, Contact[]>();
  if (organisationIds.length === 0) return byOrganisation;
  for (const contact of await contactsQuery(db).execute({ organisationIds })) {
    const others = byOrganisation.get(contact.organisationId);
    if (others === undefined) byOrganisation.set(contact.organisationId, [contact]);
    else others.push(contact);
  }
  return byOrganisation;
}

const contactsQuery = composedOnce((db) =>
  db
    .select()
    .from(contacts)
    .where(
      and(eq(contacts.organisationId, sql`any(${sql.placeholder('organisationIds')})`), isNull(contacts.removedAt)),
    )
    .orderBy(asc(contacts.id))
    .prepare('contacts_of'),
);
