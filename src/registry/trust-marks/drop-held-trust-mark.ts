/** Lets an authority no longer show a Trust Mark. */
import { eq } from 'drizzle-orm';
import { heldTrustMarks } from '../../storage/schema/held-trust-marks.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { type HeldTrustMark, heldTrustMarkSnapshot, readHeldTrustMark } from './held-trust-mark.ts';

/**
 * @param reason why, for the audit
 * @throws RegistryError not_found, role_missing, version_mismatch
 */
export async function dropHeldTrustMark(
  context: ChangeContext,
  heldId: string,
  expectedVersion?: number,
  reason?: string,
): Promise<void> {
  const { authorityId } = await readHeldTrustMark(context.db, context.actor, heldId);
  authorise(context.actor, ['admin'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const [before] = await tx.select().from(heldTrustMarks).where(eq(heldTrustMarks.id, heldId)).for('update');
    if (before?.state !== 'held') throw notFound('held trust mark', heldId);
    requireVersion(before, expectedVersion);
    const after: HeldTrustMark = { ...before, state: 'dropped', version: before.version + 1 };
    // Nobody needs it any more; the record stays for its version.
    await tx
      .update(heldTrustMarks)
      .set({ ...after, jwt: '' })
      .where(eq(heldTrustMarks.id, heldId));
    record({
      action: 'held_trust_mark.drop',
      authorityId,
      subjectKind: 'held_trust_mark',
      subjectId: heldId,
      before: heldTrustMarkSnapshot(before),
      after: heldTrustMarkSnapshot(after),
      ...(reason !== undefined && { reason }),
    });
  });
}
