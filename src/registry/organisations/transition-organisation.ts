/** Approves, rejects, suspends, reinstates, withdraws or revokes an organisation, and with it all its entities. */
import { eq } from 'drizzle-orm';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { endHosting, lockHostedOf } from '../hosting/end-hosting.ts';
import { LIVE_STATES, nextState, TRANSITIONS, type Transition } from '../states.ts';
import { requireContacts } from './contacts/required-contacts.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { type Organisation, organisationSnapshot } from './organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/**
 * The states of the entities stay as they are: what counts is the stricter of theirs and this one, so reinstating
 * brings back only what this suspension stopped. Once it is closed for good, no key of its hosted entities is kept.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, contact_missing when it would be
 *   active without a contact that its authority asks for
 */
export async function transitionOrganisation(
  context: ChangeContext,
  organisationId: string,
  transition: Transition,
  reason: string,
  expectedVersion?: number,
): Promise<Organisation> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const isClosing = !LIVE_STATES.includes(TRANSITIONS[transition].to);
    const hosted = isClosing ? await lockHostedOf(tx, organisationId) : [];
    const before = await lockOrganisation(tx, organisationId);
    const state = nextState(before.state, transition);
    requireVersion(before, expectedVersion);
    if (state === 'active') await requireContacts(tx, before);
    const change = { state, stateReason: reason, stateChangedAt: context.now, version: before.version + 1 };
    await tx.update(organisations).set(change).where(eq(organisations.id, organisationId));
    await endHosting(tx, hosted, context.now);
    record({
      action: `organisation.${transition}`,
      authorityId,
      subjectKind: 'organisation',
      subjectId: organisationId,
      before: organisationSnapshot(before),
      after: organisationSnapshot({ ...before, ...change }),
      reason,
    });
  });
  return readOrganisation(context.db, context.actor, organisationId);
}
