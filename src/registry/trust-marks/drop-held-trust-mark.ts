/** Lets an authority no longer show a Trust Mark. */
import { eq } from 'drizzle-orm';
import { heldTrustMarks } from '../../storage/schema/held-trust-marks.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { type HeldTrustMark, heldTrustMarkSnapshot, readHeldTrustMark } from './held-trust-mark.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch */
export async function dropHeldTrustMark(
  context: ChangeContext,
  heldId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readHeldTrustMark(context.db, context.actor, heldId);
  authorise(context.actor, ['admin'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const [locked] = await tx.select().from(heldTrustMarks).where(eq(heldTrustMarks.id, heldId)).for('update');
    const before = locked ?? (await readHeldTrustMark(tx, context.actor, heldId));
    requireVersion(before, expectedVersion);
    const after: HeldTrustMark = { ...before, state: 'dropped', version: before.version + 1 };
    await tx.update(heldTrustMarks).set(after).where(eq(heldTrustMarks.id, heldId));
    record({
      action: 'held_trust_mark.drop',
      authorityId,
      subjectKind: 'held_trust_mark',
      subjectId: heldId,
      before: heldTrustMarkSnapshot(before),
      after: heldTrustMarkSnapshot(after),
    });
  });
}
