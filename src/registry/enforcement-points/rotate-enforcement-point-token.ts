/** Gives an enforcement point a new token; the old one ends at once. */
import { eq } from 'drizzle-orm';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import type { EnforcementPointWithToken } from './add-enforcement-point.ts';
import { auditedPoint, enforcementPointSnapshot, newEnforcementPointToken } from './enforcement-point.ts';
import { lockEnforcementPoint, readEnforcementPoint } from './read-enforcement-point.ts';

/** Also one that had none. @throws RegistryError not_found, role_missing, illegal_transition when it is removed */
export async function rotateEnforcementPointToken(
  context: ChangeContext,
  pointId: string,
): Promise<EnforcementPointWithToken> {
  const { authorityId } = await readEnforcementPoint(context.db, context.actor, pointId);
  authorise(context.actor, ACCESS.rotateEnforcementPointToken.roles, authorityId);
  const { token, tokenDigest } = newEnforcementPointToken();
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEnforcementPoint(tx, pointId);
    const after = { ...before, tokenDigest, version: before.version + 1 };
    await tx.update(enforcementPoints).set(after).where(eq(enforcementPoints.id, pointId));
    record({
      action: 'enforcement_point.rotate_token',
      ...auditedPoint(after),
      before: enforcementPointSnapshot(before),
      after: enforcementPointSnapshot(after),
    });
  });
  return { point: await readEnforcementPoint(context.db, context.actor, pointId), token };
}
