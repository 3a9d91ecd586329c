/** Replaces the pinned keys of a Trust Anchor, after they were compared out of band. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { inputJwkSet } from '../claims-input.ts';
import { type PinnedTrustAnchor, readTrustAnchor, trustAnchorSnapshot } from './trust-anchor.ts';

/** The same keys change nothing. @throws RegistryError not_found, role_missing, validation_failed, version_mismatch */
export async function replaceTrustAnchorKeys(
  context: ChangeContext,
  trustAnchorId: string,
  input: { jwks: unknown },
  expectedVersion?: number,
): Promise<PinnedTrustAnchor> {
  const { authorityId } = await readTrustAnchor(context.db, context.actor, trustAnchorId);
  authorise(context.actor, ['admin'], authorityId);
  const jwks = inputJwkSet(input.jwks, '/jwks') as PinnedTrustAnchor['jwks'];
  return changeRegistry(context, async (tx, record) => {
    const [before] = await tx.select().from(trustAnchors).where(eq(trustAnchors.id, trustAnchorId)).for('update');
    if (before === undefined) throw notFound('trust anchor', trustAnchorId);
    requireVersion(before, expectedVersion);
    if (jsonEquals(before.jwks, jwks)) return before;
    const after = { ...before, jwks, version: before.version + 1 };
    await tx.update(trustAnchors).set(after).where(eq(trustAnchors.id, trustAnchorId));
    record({
      action: 'trust_anchor.replace_keys',
      authorityId,
      subjectKind: 'trust_anchor',
      subjectId: trustAnchorId,
      before: trustAnchorSnapshot(before),
      after: trustAnchorSnapshot(after),
    });
    return after;
  });
}
