/** What a software statement says of an application: its record, its organisation and the roles of both, as they count now. */
import { and, asc, eq, sql } from 'drizzle-orm';
import type { NumericDate } from '../../federation/time.ts';
import type { Db } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import type { Actor } from '../actor.ts';
import type { OrganisationRow } from '../organisations/organisation.ts';
import { RegistryError } from '../registry-error.ts';
import { isWithinValidity, nextRoleChange, numericDate } from '../roles/given-roles.ts';
import type { Entity } from './entity.ts';
import { readEntity } from './read-entity.ts';

export interface StatedRole {
  name: string;
  domain: string;
  scopes: string[];
  /** How the regulator knows it. */
  registrationId: string | null;
}

export interface StatedApplication {
  entity: Entity;
  organisation: OrganisationRow;
  /** Those that the application has. */
  roles: StatedRole[];
  /** Those of its organisation. */
  organisationRoles: StatedRole[];
  /** When the clock next makes another of these count, or none of them any more; Infinity if never. */
  changesAt: NumericDate;
}

/**
 * Whoever may read the entity may have this.
 * @throws RegistryError not_found, role_missing; not_active unless application and organisation are active
 */
export async function readStatedApplication(
  db: Db,
  actor: Actor,
  entityId: string,
  now: NumericDate,
): Promise<StatedApplication> {
  const entity = await readEntity(db, actor, entityId);
  const [organisation] = await db.select().from(organisations).where(eq(organisations.id, entity.organisationId));
  if (organisation === undefined) throw new TypeError(`the entity ${entityId} has no organisation`);
  requireActive('application', entity);
  requireActive('organisation', organisation);
  const ofOrganisation = await readAssignments(db, organisation.id, entityId);
  const held = ofOrganisation.filter((role) => isWithinValidity(role, now));
  return {
    entity,
    organisation,
    roles: held.filter(({ isGiven }) => isGiven).map(statedRole),
    organisationRoles: held.map(statedRole),
    changesAt: nextRoleChange(ofOrganisation, now),
  };
}

function requireActive(kind: string, { state }: { state: OrganisationRow['state'] }): void {
  if (state === 'active') return;
  throw new RegistryError('not_active', `the ${kind} is ${state}: nothing is stated about it`, { state });
}

/** Of the organisation, those that were neither removed nor retired, in the order of their names. */
async function readAssignments(db: Db, organisationId: string, entityId: string) {
  const found = await db
    .select({
      roleId: roles.id,
      name: roles.name,
      domain: authorisationDomains.name,
      scopes: roles.scopes,
      metadataPolicy: roles.metadataPolicy,
      registrationId: roleAssignments.registrationId,
      validFrom: roleAssignments.validFrom,
      validTo: roleAssignments.validTo,
      isGiven: sql<boolean>`exists (
        select 1 from ${entityRoleAssignments}
        where ${entityRoleAssignments.roleAssignmentId} = ${roleAssignments.id}
          and ${entityRoleAssignments.entityId} = ${entityId} and ${entityRoleAssignments.state} = 'active')`,
    })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId))
    .where(
      and(
        eq(roleAssignments.organisationId, organisationId),
        eq(roleAssignments.state, 'active'),
        eq(roles.state, 'active'),
      ),
    )
    .orderBy(asc(roles.name), asc(roles.id));
  return found.map((role) => ({
    ...role,
    validFrom: numericDate(role.validFrom),
    validTo: numericDate(role.validTo),
  }));
}

function statedRole({ name, domain, scopes, registrationId }: StatedRole): StatedRole {
  return { name, domain, scopes, registrationId };
}
