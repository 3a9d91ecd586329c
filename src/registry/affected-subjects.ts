/** Which statements a change concerns: the entity itself, every entity of the organisation, or whoever has the role. */
import { and, eq, or } from 'drizzle-orm';
import { isAnyOf } from '../storage/any-of.ts';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import { entities } from '../storage/schema/entities.ts';
import { entityRoleAssignments, roleAssignments } from '../storage/schema/role-assignments.ts';

export interface AffectedSubject {
  authorityId: string;
  entityIdentifier: string;
}

/** What says nothing about entities, or, where a role is taken from several, names each of them. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'organisation.update',
  'organisation.remind',
  'organisation.terms_lapsed',
  'role.add',
  'role_assignment.add',
  'role_assignment.remove',
]);

export async function affectedSubjects(db: Db, changes: readonly RegistryChange[]): Promise<AffectedSubject[]> {
  const idsOf = (kind: string) => [
    ...new Set(
      changes
        .filter((change) => change.subjectKind === kind && !WITHOUT_EFFECT.has(change.action))
        .map((change) => change.subjectId),
    ),
  ];
  const entityIds = idsOf('entity');
  const organisationIds = idsOf('organisation');
  const holders = await holdersOf(db, idsOf('role'), idsOf('role_assignment'));
  if (entityIds.length === 0 && organisationIds.length === 0) return holders;
  const named = await db
    .select(SUBJECT)
    .from(entities)
    .where(
      or(
        entityIds.length === 0 ? undefined : isAnyOf(entities.id, entityIds),
        organisationIds.length === 0 ? undefined : isAnyOf(entities.organisationId, organisationIds),
      ),
    );
  return [...named, ...holders];
}

const SUBJECT = { authorityId: entities.authorityId, entityIdentifier: entities.entityIdentifier };

async function holdersOf(db: Db, roleIds: string[], assignmentIds: string[]): Promise<AffectedSubject[]> {
  if (roleIds.length === 0 && assignmentIds.length === 0) return [];
  return await db
    .selectDistinct(SUBJECT)
    .from(entities)
    .innerJoin(entityRoleAssignments, eq(entityRoleAssignments.entityId, entities.id))
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .where(
      and(
        eq(entityRoleAssignments.state, 'active'),
        or(
          roleIds.length === 0 ? undefined : isAnyOf(roleAssignments.roleId, roleIds),
          assignmentIds.length === 0 ? undefined : isAnyOf(roleAssignments.id, assignmentIds),
        ),
      ),
    );
}
