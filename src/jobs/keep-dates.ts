/** What happens at a date that somebody set: suspensions end, and what offers and roles became by the clock is written down. */
import type { ChangeContext } from '../registry/change.ts';
import { recordPassedDates } from '../registry/offers/record-passed-dates.ts';
import { recordPassedRoleDates } from '../registry/roles/record-passed-role-dates.ts';
import { endSuspensions, type SuspensionEnds } from './end-suspensions.ts';

export interface DateKeeping extends SuspensionEnds {
  changeContext: () => ChangeContext;
}

/** One round. Nodes that do so at once do each thing once between them. */
export async function keepDates(job: DateKeeping, signal?: AbortSignal): Promise<void> {
  await endSuspensions(job, signal);
  for (const recordDates of [recordPassedDates, recordPassedRoleDates]) {
    while (signal?.aborted !== true && (await recordDates(job.changeContext())) > 0);
  }
}
