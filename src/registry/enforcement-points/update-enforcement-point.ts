/** Changes what an enforcement point asks for and how it is known; for whom it is stays as it was. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import {
  auditedPoint,
  type EnforcementPoint,
  type EnforcementPointFields,
  enforcementPointSnapshot,
  requireMayBeKnownBy,
  requireValidFields,
  withUniqueness,
} from './enforcement-point.ts';
import { lockEnforcementPoint, readEnforcementPoint } from './read-enforcement-point.ts';

export interface EnforcementPointChanges extends Partial<EnforcementPointFields> {
  /** Ends its token; a new one is made by rotating. */
  hasToken?: false;
}

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, enforcement_point_exists,
 *   illegal_transition when it is removed
 */
export async function updateEnforcementPoint(
  context: ChangeContext,
  pointId: string,
  { hasToken, ...changes }: EnforcementPointChanges,
  expectedVersion?: number,
): Promise<EnforcementPoint> {
  const { authorityId } = await readEnforcementPoint(context.db, context.actor, pointId);
  authorise(context.actor, ACCESS.updateEnforcementPoint.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEnforcementPoint(tx, pointId);
    requireVersion(before, expectedVersion);
    const after = {
      ...withChanges(before, changes),
      ...(hasToken === false && { tokenDigest: null }),
      version: before.version + 1,
    };
    if (jsonEquals(enforcementPointSnapshot(before), enforcementPointSnapshot(after))) return;
    requireMayBeKnownBy(context.actor, before, after);
    await requireValidFields(tx, before, after, context);
    await withUniqueness(() => tx.update(enforcementPoints).set(after).where(eq(enforcementPoints.id, pointId)));
    record({
      action: 'enforcement_point.update',
      ...auditedPoint(after),
      before: enforcementPointSnapshot(before),
      after: enforcementPointSnapshot(after),
    });
  });
  return readEnforcementPoint(context.db, context.actor, pointId);
}
