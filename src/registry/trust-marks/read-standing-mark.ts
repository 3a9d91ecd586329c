/** Reads the grant that a Trust Mark is made from, if it stands right now, with the mark as it was signed last. */
import { and, eq, sql } from 'drizzle-orm';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { currentTrustMarks, trustMarks } from '../../storage/schema/trust-marks.ts';
import { ITS_ENTITY, ITS_ORGANISATION, stands } from './standing.ts';
import type { TrustMark } from './trust-mark.ts';

export type CurrentTrustMark = typeof currentTrustMarks.$inferSelect;

export interface StandingMark {
  mark: TrustMark;
  /** The JWT as last signed, by whichever node. */
  current: CurrentTrustMark | undefined;
}

/** @returns undefined unless the grant stands; whether it has ended by time is for the caller to look at */
export async function readStandingMark(db: Db, typeId: string, subject: string): Promise<StandingMark | undefined> {
  const [found] = await standingMarkQuery(db).execute({ typeId, subject });
  return found && { mark: found.mark, current: found.current ?? undefined };
}

const standingMarkQuery = composedOnce((db) =>
  db
    .select({ mark: trustMarks, current: currentTrustMarks })
    .from(trustMarks)
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .leftJoin(currentTrustMarks, eq(currentTrustMarks.trustMarkId, trustMarks.id))
    .where(
      and(
        eq(trustMarks.typeId, sql.placeholder('typeId')),
        eq(trustMarks.subject, sql.placeholder('subject')),
        stands(db),
      ),
    )
    .prepare('read_standing_mark'),
);
