/** Reminds members of what they have to confirm, notes what lapsed, and acts where their authority says so. */
import type { ChangeContext } from '../registry/change.ts';
import { remindOfExpiry } from '../registry/credentials/remind-of-expiry.ts';
import { transitionEntity } from '../registry/entities/transition-entity.ts';
import { lapsedMembers, requireLapsed } from '../registry/life-cycle/attestation/lapsed-members.ts';
import { remindMembers } from '../registry/life-cycle/attestation/remind-members.ts';
import { takeFindings } from '../registry/life-cycle/directory-findings.ts';
import { transitionOrganisation } from '../registry/organisations/transition-organisation.ts';
import { RegistryError } from '../registry/registry-error.ts';

export interface MemberUpkeep {
  /** Acts for the service itself, at the present moment. */
  changeContext: () => ChangeContext;
  /** One record's trouble does not hold up the others. */
  onError: (error: unknown, recordId: string) => void;
}

/** The others follow in the next rounds. */
const MEMBERS_A_ROUND = 100;

/** One round. Of nodes that do so at once each thing is done by one. */
export async function keepMembersAlive(job: MemberUpkeep, signal?: AbortSignal): Promise<void> {
  const { changeContext, onError } = job;
  const isStopped = () => signal?.aborted === true;
  while (!isStopped() && (await remindMembers(changeContext())) > 0);
  while (!isStopped() && (await remindOfExpiry(changeContext())) > 0);
  if (isStopped()) return;
  await takeFindings(changeContext(), { signal });
  const { db, now } = changeContext();
  for (const member of await lapsedMembers(db, now, MEMBERS_A_ROUND)) {
    if (isStopped()) return;
    const { kind, id, reason } = member;
    const suspend = kind === 'organisation' ? transitionOrganisation : transitionEntity;
    const decision = { reason, reasonCode: 'attestation_lapsed' } as const;
    try {
      // Whatever else changed of the record does not matter, and what lapsed is looked at once more.
      await suspend(changeContext(), id, 'suspend', decision, undefined, (tx) => requireLapsed(tx, member, now));
    } catch (error) {
      // Another node was faster, or it was attested just now.
      if (!(error instanceof RegistryError)) onError(error, id);
    }
  }
}
