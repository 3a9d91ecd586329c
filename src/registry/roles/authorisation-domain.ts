/** Authorisation domains as records: what the roles of an authority belong to. */
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';

export type AuthorisationDomain = typeof authorisationDomains.$inferSelect;

export interface AuthorisationDomainFields {
  name: string;
  description: string | null;
}

export function authorisationDomainSnapshot({ name, description }: AuthorisationDomain): JsonObject {
  return { name, description };
}

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readAuthorisationDomain(db: Db | Tx, actor: Actor, id: string): Promise<AuthorisationDomain> {
  requireRole(actor, ACCESS.readAuthorisationDomain.roles);
  const [domain] = isRecordId(id)
    ? await db.select().from(authorisationDomains).where(eq(authorisationDomains.id, id))
    : [];
  if (domain === undefined || !reaches(actor, domain.authorityId)) throw notFound('authorisation domain', id);
  return domain;
}

export interface AuthorisationDomainFilter {
  authorityId?: string;
  name?: string;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listAuthorisationDomains(
  db: Db,
  actor: Actor,
  { authorityId, name }: AuthorisationDomainFilter,
  request: PageRequest,
): Promise<Page<AuthorisationDomain>> {
  const columns = { authority: authorisationDomains.authorityId };
  const reached = inReach(actor, ACCESS.listAuthorisationDomains.roles, columns, authorityId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(authorisationDomains)
    .where(
      and(
        reached,
        name === undefined ? undefined : eq(sql`lower(${authorisationDomains.name})`, name.toLowerCase()),
        after === undefined ? undefined : gt(authorisationDomains.id, after),
      ),
    )
    .orderBy(asc(authorisationDomains.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}
