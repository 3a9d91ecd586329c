/** Takes a Trust Anchor of others out of an authority's trust. */
import { eq } from 'drizzle-orm';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { readTrustAnchor, trustAnchorSnapshot } from './trust-anchor.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch */
export async function unpinTrustAnchor(
  context: ChangeContext,
  trustAnchorId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readTrustAnchor(context.db, context.actor, trustAnchorId);
  authorise(context.actor, ['admin'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const [before] = await tx.select().from(trustAnchors).where(eq(trustAnchors.id, trustAnchorId)).for('update');
    if (before === undefined) throw notFound('trust anchor', trustAnchorId);
    requireVersion(before, expectedVersion);
    await tx.delete(trustAnchors).where(eq(trustAnchors.id, trustAnchorId));
    record({
      action: 'trust_anchor.unpin',
      authorityId,
      subjectKind: 'trust_anchor',
      subjectId: trustAnchorId,
      before: trustAnchorSnapshot(before),
    });
  });
}
