/** Reads organisations with their contacts, as far as the reader reaches. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { contactsOf } from './contacts/read-contact.ts';
import type { Organisation } from './organisation.ts';
import { plainly } from './registration.ts';

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readOrganisation(db: Db | Tx, actor: Actor, organisationId: string): Promise<Organisation> {
  requireRole(actor, ACCESS.readOrganisation.roles);
  if (!isRecordId(organisationId)) throw notFound('organisation', organisationId);
  const [organisation] = await organisationQuery(db).execute({ organisationId });
  if (organisation === undefined || !reaches(actor, organisation.authorityId, organisationId)) {
    throw notFound('organisation', organisationId);
  }
  const contacts = (await contactsOf(db, [organisationId])).get(organisationId) ?? [];
  return { ...organisation, contacts };
}

const organisationQuery = composedOnce((db) =>
  db
    .select()
    .from(organisations)
    .where(eq(organisations.id, sql.placeholder('organisationId')))
    .prepare('read_organisation'),
);

export interface OrganisationFilter {
  authorityId?: string;
  state?: ParticipantState;
  /** One of its tags. */
  tag?: string;
  parentId?: string;
  /** In any spelling that counts as the same. */
  registrationNumber?: string;
  registrationCountry?: string;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listOrganisations(
  db: Db,
  actor: Actor,
  filter: OrganisationFilter,
  request: PageRequest,
): Promise<Page<Organisation>> {
  const columns = { authority: organisations.authorityId, organisation: organisations.id };
  const reached = inReach(actor, ACCESS.listOrganisations.roles, columns, filter.authorityId);
  const after = cursorId(request);
  const { parentId, registrationNumber, registrationCountry } = filter;
  const rows = await db
    .select()
    .from(organisations)
    .where(
      and(
        reached,
        filter.state === undefined ? undefined : eq(organisations.state, filter.state),
        filter.tag === undefined ? undefined : sql`${organisations.tags} @> ${JSON.stringify([filter.tag])}::jsonb`,
        parentId === undefined ? undefined : eq(organisations.parentId, parentId),
        registrationNumber === undefined
          ? undefined
          : sql`lower(${organisations.registrationNumber}) = lower(${plainly(registrationNumber)})`,
        registrationCountry === undefined ? undefined : eq(organisations.registrationCountry, registrationCountry),
        after === undefined ? undefined : gt(organisations.id, after),
      ),
    )
    .orderBy(asc(organisations.id))
    .limit(request.limit + 1);
  const { items, ...rest } = pageOf(rows, request);
  const contacts = await contactsOf(
    db,
    items.map(({ id }) => id),
  );
  return { items: items.map((row) => ({ ...row, contacts: contacts.get(row.id) ?? [] })), ...rest };
}
