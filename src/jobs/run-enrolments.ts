/** Looks in their turn at enrolments that came without a token, and ends those that nobody took up. */
import { runEnrolmentSteps } from '../enrolment/flow/change-enrolment.ts';
import { claimDueEnrolments, lapseEnrolments } from '../enrolment/flow/lapse-enrolments.ts';
import type { EnrolmentTools } from '../enrolment/flow/step-subject.ts';
import type { ChangeContext } from '../registry/change.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Db } from '../storage/connect.ts';

export interface EnrolmentRoundOptions {
  db: Db;
  changeContext: () => ChangeContext;
  tools: EnrolmentTools;
  onError: (error: unknown, enrolmentId: string) => void;
}

/** Of one round; what is left waits for the next. */
const BATCH_SIZE = 20;
const LAPSING_BATCH_SIZE = 200;

/** One round. What fails is told, and tried again in its turn. */
export async function runEnrolments(
  { db, changeContext, tools, onError }: EnrolmentRoundOptions,
  signal?: AbortSignal,
): Promise<void> {
  await lapseEnrolments(changeContext(), LAPSING_BATCH_SIZE, onError);
  for (const id of await claimDueEnrolments(db, changeContext().now, BATCH_SIZE)) {
    if (signal?.aborted === true) return;
    try {
      await runEnrolmentSteps(changeContext(), id, undefined, tools);
    } catch (error) {
      // Somebody decided about it meanwhile.
      if (error instanceof RegistryError) continue;
      onError(error, id);
    }
  }
}
