/** Roles given to entities, and which of them are held at a moment: the one place that knows. */
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { NumericDate } from '../../federation/time.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';

/** A role that was given to an entity, and taken neither from it nor from its organisation, nor retired. */
export interface GivenRole {
  roleId: string;
  name: string;
  metadataPolicy: JsonObject;
  /** Held from then on, and until then, seconds since the epoch; null: without beginning, without end. */
  validFrom: NumericDate | null;
  validTo: NumericDate | null;
}

/** Whether the clock lets the role count: as of `validFrom`, and no more at `validTo`. */
export function isWithinValidity(
  { validFrom, validTo }: Pick<GivenRole, 'validFrom' | 'validTo'>,
  now: NumericDate,
): boolean {
  return (validFrom === null || validFrom <= now) && (validTo === null || now < validTo);
}

/** Those held at `now`. */
export function heldRoles(given: readonly GivenRole[], now: NumericDate): GivenRole[] {
  return given.filter((role) => isWithinValidity(role, now));
}

/** When the clock next makes one of them held, or held no more; Infinity if never. */
export function nextRoleChange(given: readonly GivenRole[], now: NumericDate): NumericDate {
  const moments = given.flatMap(({ validFrom, validTo }) => [validFrom, validTo]);
  return Math.min(...moments.filter((moment) => moment !== null && moment > now).map(Number));
}

/** In the order of their names, in which their policies are merged. */
export function inRoleOrder<T extends Pick<GivenRole, 'name' | 'roleId'>>(given: readonly T[]): T[] {
  const key = ({ name, roleId }: T) => `${name}\u0000${roleId}`;
  return given.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** A role is given while all three of these rows say so. */
const IS_GIVEN = sql`${entityRoleAssignments.state} = 'active' and ${roleAssignments.state} = 'active'
  and ${roles.state} = 'active'`;

const secondsOf = (column: typeof roleAssignments.validFrom | typeof roleAssignments.validTo) =>
  sql`floor(extract(epoch from ${column}))`;

/** Joins into a read of `entities`, as JSON: null for entities without any, which pay a look into an index. */
export function givenRolesJson(): SQL<GivenRole[] | null> {
  return sql<GivenRole[] | null>`(
    select json_agg(json_build_object(
      'roleId', ${roles.id}, 'name', ${roles.name}, 'metadataPolicy', ${roles.metadataPolicy},
      'validFrom', ${secondsOf(roleAssignments.validFrom)}, 'validTo', ${secondsOf(roleAssignments.validTo)}))
    from ${entityRoleAssignments}
    join ${roleAssignments} on ${roleAssignments.id} = ${entityRoleAssignments.roleAssignmentId}
    join ${roles} on ${roles.id} = ${roleAssignments.roleId}
    where ${entityRoleAssignments.entityId} = ${entities.id} and ${IS_GIVEN})`;
}

/** Roles given to each of the entities, in the order of their names. */
export async function givenRoles(db: Db | Tx, entityIds: readonly string[]): Promise<ReadonlyMap<string, GivenRole[]>> {
  const byEntity = new Map<string, GivenRole[]>();
  for (const { entityId, validFrom, validTo, ...role } of await readGiven(db, entityIds)) {
    const given = byEntity.get(entityId);
    const one = { ...role, validFrom: numericDate(validFrom), validTo: numericDate(validTo) };
    if (given === undefined) byEntity.set(entityId, [one]);
    else given.push(one);
  }
  for (const [entityId, given] of byEntity) byEntity.set(entityId, inRoleOrder(given));
  return byEntity;
}

async function readGiven(db: Db | Tx, entityIds: readonly string[]) {
  return await db
    .select({
      entityId: entityRoleAssignments.entityId,
      roleId: roles.id,
      name: roles.name,
      metadataPolicy: roles.metadataPolicy,
      validFrom: roleAssignments.validFrom,
      validTo: roleAssignments.validTo,
    })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .where(and(isAnyOf(entityRoleAssignments.entityId, entityIds), IS_GIVEN));
}

export async function givenRolesOf(db: Db | Tx, entityId: string): Promise<GivenRole[]> {
  return (await givenRoles(db, [entityId])).get(entityId) ?? [];
}

export function numericDate(moment: Date | null): NumericDate | null {
  return moment === null ? null : Math.floor(moment.getTime() / 1000);
}
