/** Suspends an enforcement point, or reinstates it: suspended, it is nobody. */
import { eq } from 'drizzle-orm';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { auditedPoint, type EnforcementPoint, enforcementPointSnapshot } from './enforcement-point.ts';
import { lockEnforcementPoint, readEnforcementPoint } from './read-enforcement-point.ts';

export const ENFORCEMENT_POINT_TRANSITIONS = {
  suspend: { from: 'active', to: 'suspended' },
  reinstate: { from: 'suspended', to: 'active' },
} as const;

export type EnforcementPointTransition = keyof typeof ENFORCEMENT_POINT_TRANSITIONS;

/** @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition */
export async function transitionEnforcementPoint(
  context: ChangeContext,
  pointId: string,
  transition: EnforcementPointTransition,
  reason: string,
  expectedVersion?: number,
): Promise<EnforcementPoint> {
  const { authorityId } = await readEnforcementPoint(context.db, context.actor, pointId);
  authorise(context.actor, ACCESS[`${transition}EnforcementPoint`].roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEnforcementPoint(tx, pointId);
    const { from, to } = ENFORCEMENT_POINT_TRANSITIONS[transition];
    if (before.state !== from) {
      const message = `cannot ${transition} an enforcement point that is ${before.state}`;
      throw new RegistryError('illegal_transition', message, { from: before.state, to });
    }
    requireVersion(before, expectedVersion);
    const state = { state: to, stateReason: reason, stateChangedAt: context.now };
    const after = { ...before, ...state, version: before.version + 1 };
    await tx.update(enforcementPoints).set(after).where(eq(enforcementPoints.id, pointId));
    record({
      action: `enforcement_point.${transition}`,
      ...auditedPoint(after),
      before: enforcementPointSnapshot(before),
      after: enforcementPointSnapshot(after),
      reason,
    });
  });
  return readEnforcementPoint(context.db, context.actor, pointId);
}
