/** Changes when the suspension of an organisation ends by itself. */
import { eq } from 'drizzle-orm';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { changedEnd, type SuspensionChange } from '../life-cycle/decision.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { type Organisation, organisationSnapshot } from './organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/**
 * All else of the suspension stays: since when, and why. What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition unless it is suspended,
 *   validation_failed for an end that is past
 */
export async function changeOrganisationSuspension(
  context: ChangeContext,
  organisationId: string,
  change: SuspensionChange,
  expectedVersion?: number,
): Promise<Organisation> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ACCESS.changeOrganisationSuspension.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOrganisation(tx, organisationId);
    requireVersion(before, expectedVersion);
    const changed = changedEnd(before, change, context.now);
    if (changed === undefined) return;
    await tx.update(organisations).set(changed).where(eq(organisations.id, organisationId));
    record({
      action: 'organisation.change_suspension',
      authorityId,
      subjectKind: 'organisation',
      subjectId: organisationId,
      before: organisationSnapshot(before),
      after: organisationSnapshot({ ...before, ...changed }),
      reason: change.reason,
    });
  });
  return await readOrganisation(context.db, context.actor, organisationId);
}
