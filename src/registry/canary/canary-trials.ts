/** Where a member that is always suspended knocks, in whose turn, and what became of it. */
import { desc, inArray, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { canaryTrials } from '../../storage/schema/canary-trials.ts';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';

export type CanaryTrial = Pick<typeof canaryTrials.$inferSelect, 'outcome' | 'status' | 'detail' | 'triedAt'>;

/** An enforcement point whose turn it is. */
export interface DueTrial {
  enforcementPointId: string;
  name: string;
  authorityId: string;
  canaryUrl: string;
}

/** Takes the turns that are due, so that no other node does the same, and sets the next ones. */
export async function claimTrials(db: Db, intervalSeconds: number): Promise<DueTrial[]> {
  const next = sql`clock_timestamp() + ${intervalSeconds} * interval '1 second'`;
  const claimed = await db.execute<{ id: string }>(sql`
    INSERT INTO canary_turns AS turn (enforcement_point_id, next_at)
    SELECT id, ${next} FROM enforcement_points WHERE state = 'active' AND canary_url IS NOT NULL ORDER BY id
    ON CONFLICT (enforcement_point_id) DO UPDATE SET next_at = excluded.next_at WHERE turn.next_at <= clock_timestamp()
    RETURNING enforcement_point_id AS id`);
  const ids = claimed.rows.map(({ id }) => id);
  if (ids.length === 0) return [];
  const { id: enforcementPointId, name, authorityId, canaryUrl } = enforcementPoints;
  const due = await db
    .select({ enforcementPointId, name, authorityId, canaryUrl })
    .from(enforcementPoints)
    .where(inArray(enforcementPoints.id, ids));
  return due.flatMap(({ canaryUrl: url, ...rest }) => (url === null ? [] : [{ ...rest, canaryUrl: url }]));
}

/** By the clock of the database. */
export async function saveTrial(
  db: Db,
  enforcementPointId: string,
  { outcome, status, detail }: Omit<CanaryTrial, 'triedAt'>,
): Promise<void> {
  await db
    .insert(canaryTrials)
    .values({ enforcementPointId, outcome, status, detail, triedAt: sql`clock_timestamp()` })
    .onConflictDoNothing();
}

/** The last ones of these enforcement points, by their ids. */
export async function lastTrials(
  db: Db | Tx,
  enforcementPointIds: readonly string[],
): Promise<Map<string, CanaryTrial>> {
  if (enforcementPointIds.length === 0) return new Map();
  const rows = await db
    .selectDistinctOn([canaryTrials.enforcementPointId])
    .from(canaryTrials)
    .where(inArray(canaryTrials.enforcementPointId, [...enforcementPointIds]))
    .orderBy(canaryTrials.enforcementPointId, desc(canaryTrials.triedAt));
  return new Map(rows.map(({ enforcementPointId, ...trial }) => [enforcementPointId, trial]));
}
