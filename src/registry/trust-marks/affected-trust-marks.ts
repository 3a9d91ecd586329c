/** Which Trust Marks a change concerns: the mark itself, or all that an entity or an organisation's entities bear. */
import { and, eq, or } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { TRANSITION_NAMES } from '../states.ts';

export interface AffectedTrustMark {
  authorityId: string;
  typeId: string;
  trustMarkId: string;
  subject: string;
}

/** Only by these do the marks of an entity, or of all entities of an organisation, end or come back. */
const MOVING: ReadonlySet<string> = new Set(
  ['entity', 'organisation'].flatMap((kind) => TRANSITION_NAMES.map((transition) => `${kind}.${transition}`)),
);

export async function affectedTrustMarks(db: Db, changes: readonly RegistryChange[]): Promise<AffectedTrustMark[]> {
  const idsOf = (kind: string) => [
    ...new Set(
      changes
        .filter(({ subjectKind, action }) => subjectKind === kind && (kind === 'trust_mark' || MOVING.has(action)))
        .map((change) => change.subjectId),
    ),
  ];
  const markIds = idsOf('trust_mark');
  const [entityIds, organisationIds] = [idsOf('entity'), idsOf('organisation')];
  const { authorityId, typeId, id: trustMarkId, subject } = trustMarks;
  const columns = { authorityId, typeId, trustMarkId, subject };
  const own =
    markIds.length === 0 ? [] : await db.select(columns).from(trustMarks).where(isAnyOf(trustMarkId, markIds));
  if (entityIds.length === 0 && organisationIds.length === 0) return own;
  const borne = await db
    .selectDistinct(columns)
    .from(trustMarks)
    .innerJoin(
      entities,
      and(eq(entities.authorityId, trustMarks.authorityId), eq(entities.entityIdentifier, trustMarks.subject)),
    )
    .where(
      or(
        entityIds.length === 0 ? undefined : isAnyOf(entities.id, entityIds),
        organisationIds.length === 0 ? undefined : isAnyOf(entities.organisationId, organisationIds),
      ),
    );
  return [...own, ...borne];
}

/** Types that changed: all their marks may read differently now, or stand no more. */
export function changedTrustMarkTypes(changes: readonly RegistryChange[]): Set<string> {
  return new Set(
    changes.filter(({ subjectKind }) => subjectKind === 'trust_mark_type').map(({ subjectId }) => subjectId),
  );
}
