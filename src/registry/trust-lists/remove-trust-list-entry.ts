/** Takes a certification authority off the trust list: what it issued leads nowhere from then on. */
import { and, eq, isNull } from 'drizzle-orm';
import { trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { ACCESS } from '../access.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { readTrustListEntry, trustListEntrySnapshot } from './trust-list-entry.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch */
export async function removeTrustListEntry(
  context: ChangeContext,
  entryId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId } = await readTrustListEntry(context.db, context.actor, entryId);
  authorise(context.actor, ACCESS.removeTrustListEntry.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const [before] = await tx
      .select()
      .from(trustListEntries)
      .where(and(eq(trustListEntries.id, entryId), isNull(trustListEntries.removedAt)))
      .for('update');
    if (before === undefined) throw notFound('trust list entry', entryId);
    requireVersion(before, expectedVersion);
    const change = { removedAt: context.now, version: before.version + 1 };
    await tx.update(trustListEntries).set(change).where(eq(trustListEntries.id, entryId));
    record({
      action: 'trust_list_entry.remove',
      authorityId,
      subjectKind: 'trust_list_entry',
      subjectId: entryId,
      before: trustListEntrySnapshot(before),
    });
  });
}
