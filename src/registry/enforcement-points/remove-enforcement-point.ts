/** Removes an enforcement point for good; its record stays for what was decided there. */
import { eq } from 'drizzle-orm';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { auditedPoint, enforcementPointSnapshot } from './enforcement-point.ts';
import { lockEnforcementPoint, readEnforcementPoint } from './read-enforcement-point.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is removed already */
export async function removeEnforcementPoint(
  context: ChangeContext,
  pointId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readEnforcementPoint(context.db, context.actor, pointId);
  authorise(context.actor, ACCESS.removeEnforcementPoint.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEnforcementPoint(tx, pointId);
    requireVersion(before, expectedVersion);
    const state = { state: 'removed', stateReason: null, stateChangedAt: context.now, tokenDigest: null } as const;
    const after = { ...before, ...state, version: before.version + 1 };
    await tx.update(enforcementPoints).set(after).where(eq(enforcementPoints.id, pointId));
    record({
      action: 'enforcement_point.remove',
      ...auditedPoint(after),
      before: enforcementPointSnapshot(before),
      after: enforcementPointSnapshot(after),
    });
  });
}
