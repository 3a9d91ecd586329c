/** Which statements a change concerns: the entity itself, or every entity of the organisation. */
import { inArray, or } from 'drizzle-orm';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import { entities } from '../storage/schema/entities.ts';

export interface AffectedSubject {
  authorityId: string;
  entityIdentifier: string;
}

export async function affectedSubjects(db: Db, changes: readonly RegistryChange[]): Promise<AffectedSubject[]> {
  const idsOf = (kind: string) => [
    ...new Set(
      changes
        .filter((change) => change.subjectKind === kind && change.action !== 'organisation.update')
        .map((change) => change.subjectId),
    ),
  ];
  const entityIds = idsOf('entity');
  const organisationIds = idsOf('organisation');
  if (entityIds.length === 0 && organisationIds.length === 0) return [];
  return db
    .select({ authorityId: entities.authorityId, entityIdentifier: entities.entityIdentifier })
    .from(entities)
    .where(
      or(
        entityIds.length === 0 ? undefined : inArray(entities.id, entityIds),
        organisationIds.length === 0 ? undefined : inArray(entities.organisationId, organisationIds),
      ),
    );
}
