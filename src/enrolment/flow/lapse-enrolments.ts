/** What happens to requests without a token by itself: their steps run in their turn, and those nobody took up lapse. */
import { and, asc, inArray, lte, sql } from 'drizzle-orm';
import type { ChangeContext } from '../../registry/change.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { Db } from '../../storage/connect.ts';
import { enrolments } from '../../storage/schema/enrolments.ts';
import { closeEnrolment } from './close-enrolment.ts';
import { OPEN_STATES } from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';

/** From one look to the next at least; later, a quarter of the time since it was asked. */
const FIRST_PAUSE_SECONDS = 300;

/** Claims enrolments whose steps are due, each for one node, which looks again later whatever becomes of it. */
export async function claimDueEnrolments(db: Db, now: Date, limit: number): Promise<string[]> {
  const at = sql`${now.toISOString()}::timestamptz`;
  const due = db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(and(lte(enrolments.nextRunAt, now), inArray(enrolments.state, [...OPEN_STATES])))
    .orderBy(asc(enrolments.nextRunAt))
    .limit(limit)
    .for('update', { skipLocked: true });
  const pause = sql`greatest(make_interval(secs => ${FIRST_PAUSE_SECONDS}), (${at} - ${enrolments.createdAt}) / 4)`;
  const claimed = await db
    .update(enrolments)
    .set({ nextRunAt: sql`${at} + ${pause}` })
    .where(inArray(enrolments.id, due))
    .returning({ id: enrolments.id });
  return claimed.map(({ id }) => id);
}

const REASON = 'nobody took it up in time';

/** Ends what was asked without a token and not taken up. One record's trouble does not hold up the others. */
export async function lapseEnrolments(
  context: ChangeContext,
  limit: number,
  onError: (error: unknown, enrolmentId: string) => void,
): Promise<void> {
  const over = await context.db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(and(lte(enrolments.lapsesAt, context.now), inArray(enrolments.state, [...OPEN_STATES])))
    .orderBy(asc(enrolments.lapsesAt))
    .limit(limit);
  for (const { id } of over) {
    try {
      const enrolment = await readEnrolment(context.db, context.actor, id);
      await closeEnrolment(context, enrolment, 'cancel', { state: 'lapsed', reason: REASON });
    } catch (error) {
      // Somebody, or another node, decided about it meanwhile.
      if (!(error instanceof RegistryError)) onError(error, id);
    }
  }
}
