/** What happens at a date that somebody set: suspensions end, what offers and roles became is written down, requests lapse. */

import { lapseCertificateRequests } from '../registry/certification/lapse-certificate-requests.ts';
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
  for (const recordDates of [recordPassedDates, recordPassedRoleDates, lapseCertificateRequests]) {
    while (signal?.aborted !== true && (await recordDates(job.changeContext())) > 0);
  }
}
