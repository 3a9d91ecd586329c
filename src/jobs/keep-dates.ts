/** What happens at a date that somebody set: suspensions end, and what offers became by the clock is written down. */
import type { ChangeContext } from '../registry/change.ts';
import { recordPassedDates } from '../registry/offers/record-passed-dates.ts';
import { endSuspensions, type SuspensionEnds } from './end-suspensions.ts';

export interface DateKeeping extends SuspensionEnds {
  changeContext: () => ChangeContext;
}

/** One round. Nodes that do so at once do each thing once between them. */
export async function keepDates(job: DateKeeping, signal?: AbortSignal): Promise<void> {
  await endSuspensions(job, signal);
  while (signal?.aborted !== true) {
    if ((await recordPassedDates(job.changeContext())) === 0) return;
  }
}
