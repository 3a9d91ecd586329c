/** Approves, rejects, suspends, reinstates, withdraws or revokes an organisation, and with it all its entities. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { endHosting, hostedOf, lockHostedOf } from '../hosting/end-hosting.ts';
import { type Decision, decisionOf, stateChange, type Transitioned } from '../life-cycle/decision.ts';
import { withEffects } from '../life-cycle/effects.ts';
import { LIVE_STATES, nextState, TRANSITIONS, type Transition } from '../states.ts';
import { requireContacts } from './contacts/required-contacts.ts';
import { lockOrganisation } from './lock-organisation.ts';
import { type Organisation, organisationSnapshot } from './organisation.ts';
import { readOrganisation } from './read-organisation.ts';

/**
 * The states of the entities stay as they are: what counts is the stricter of theirs and this one, so reinstating
 * brings back only what this suspension stopped. Once it is closed for good, no key of its hosted entities is kept.
 * @param alongside runs in the same transaction, with the record changed
 * @returns the organisation as it is now, also after a dry run, and what becomes of everything below it
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, validation_failed,
 *   contact_missing when it would be active without a contact that its authority asks for
 */
export async function transitionOrganisation(
  context: ChangeContext,
  organisationId: string,
  transition: Transition,
  decision: Decision | string,
  expectedVersion?: number,
  alongside?: (tx: Tx) => Promise<void>,
): Promise<Organisation & Transitioned> {
  const { authorityId } = await readOrganisation(context.db, context.actor, organisationId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  const decided = decisionOf(decision);
  let seq: number | null = null;
  const affected = await changeRegistry(
    context,
    async (tx, record) => {
      const isClosing = !LIVE_STATES.includes(TRANSITIONS[transition].to);
      if (isClosing) await lockHostedOf(tx, organisationId);
      const before = await lockOrganisation(tx, organisationId);
      const hosted = isClosing ? await hostedOf(tx, organisationId) : [];
      const moved = stateChange(transition, nextState(before.state, transition), decided, context.now);
      requireVersion(before, expectedVersion);
      if (moved.state === 'active') await requireContacts(tx, before);
      const change = { ...moved, version: before.version + 1 };
      const effects = await withEffects(tx, { organisationId }, context.now, async () => {
        await tx.update(organisations).set(change).where(eq(organisations.id, organisationId));
        await endHosting(tx, hosted, context.now);
      });
      record({
        action: `organisation.${transition}`,
        authorityId,
        subjectKind: 'organisation',
        subjectId: organisationId,
        before: organisationSnapshot(before),
        after: organisationSnapshot({ ...before, ...change }),
        reason: decided.reason,
        affected: effects.affected,
      });
      await alongside?.(tx);
      return effects.affected;
    },
    { isDryRun: decided.isDryRun, onSeq: (taken) => (seq = taken) },
  );
  return { ...(await readOrganisation(context.db, context.actor, organisationId)), seq, affected };
}
