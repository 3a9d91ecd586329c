/** Writes down, once, that a date of an organisation's role has come. Readers go by the dates; this is for the audit and its followers. */
import { and, asc, eq, isNotNull, ne, or, type SQL, sql } from 'drizzle-orm';
import { type RecordedRoleState, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { lockRole } from './role.ts';
import { datedState, roleAssignmentSnapshot } from './role-assignment.ts';
import { givenBelow } from './role-effects.ts';
import { lockHolders, markHoldersUpdated } from './role-holders.ts';

/** Looked for at a time; the others follow in the next round. */
const BATCH = 200;

/** A state that it went to, as the verb of an audit row. */
const VERBS = { upcoming: 'postpone', active: 'begin', ended: 'end' } as const;

/**
 * One round, a change for each: what is said about the entities that have it is another from then on. What another node
 * records at the same moment is left to it.
 * @returns how many were found; there may be more
 * @throws RegistryError role_missing
 */
export async function recordPassedRoleDates(context: ChangeContext): Promise<number> {
  authorise(context.actor, ['admin'], null);
  const { id, roleId } = roleAssignments;
  const due = await context.db
    .select({ id, roleId })
    .from(roleAssignments)
    .where(isDue(context.now))
    .orderBy(asc(id))
    .limit(BATCH);
  for (const one of due) await recordDate(context, one);
  return due.length;
}

async function recordDate(context: ChangeContext, { id, roleId }: { id: string; roleId: string }): Promise<void> {
  const { now } = context;
  await changeRegistry(context, async (tx, record) => {
    const role = await lockRole(tx, roleId);
    const [before] = await tx
      .select()
      .from(roleAssignments)
      .where(and(eq(roleAssignments.id, id), isDue(now)));
    if (before === undefined) return;
    const recordedState = datedState(before, now);
    await lockHolders(tx, { roleAssignmentId: id });
    await tx.update(roleAssignments).set({ recordedState }).where(eq(roleAssignments.id, id));
    await markHoldersUpdated(tx, { roleAssignmentId: id }, now);
    const snapshot = roleAssignmentSnapshot(before, role);
    // The clock changed them, and nobody saw it happen.
    const changed = (await givenBelow(tx, { roleAssignmentId: id }, now)).filter(
      ({ state }) => state === recordedState,
    );
    record({
      action: `role_assignment.${VERBS[recordedState]}`,
      authorityId: before.authorityId,
      subjectKind: 'role_assignment',
      subjectId: id,
      before: { ...snapshot, byDate: before.recordedState },
      after: { ...snapshot, byDate: recordedState },
      reason: 'its date has come',
      affected: changed.map(({ state, ...one }) => ({ ...one, stateBefore: before.recordedState, stateAfter: state })),
    });
  });
}

/** A node whose clock is behind does not take back what another wrote down. */
const APART_MS = 3_600_000;

function isDue(now: Date): SQL | undefined {
  const { state, validFrom, validTo, recordedState } = roleAssignments;
  const isOtherwise = (moment: Date) => ne(stateAt(moment), recordedState);
  return and(
    eq(state, 'active'),
    // The condition of the index: most have no dates.
    or(isNotNull(validFrom), isNotNull(validTo), sql`${recordedState} <> 'active'`),
    isOtherwise(now),
    isOtherwise(new Date(now.getTime() + APART_MS)),
  );
}

/** As datedState says, in the words of the database. */
function stateAt(now: Date): SQL<RecordedRoleState> {
  const moment = sql`${now.toISOString()}::timestamptz`;
  return sql`CASE
    WHEN date_trunc('second', ${roleAssignments.validTo}) <= ${moment} THEN 'ended'
    WHEN date_trunc('second', ${roleAssignments.validFrom}) > ${moment} THEN 'upcoming'
    ELSE 'active' END`;
}
