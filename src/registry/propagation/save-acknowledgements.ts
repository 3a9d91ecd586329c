/** Keeps which seq enforcement points act on, and since when: by the clock of the database, which all nodes see. */
import { sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';

export interface SavedAcknowledgements {
  acknowledged: readonly { enforcementPointId: string; seq: number; via: 'call' | 'stream'; ageMs: number }[];
  seen: readonly { enforcementPointId: string; seq: number; ageMs: number }[];
}

/**
 * What another node noted before stays. Points that are gone by now are passed over.
 * @param read asked once there is a connection, so that waiting for one makes nobody younger
 */
export async function saveAcknowledgements(db: Db, read: () => SavedAcknowledgements): Promise<void> {
  await db.transaction(async (tx) => {
    // Whatever opens the transaction late, it is open now.
    await tx.execute(sql`select 1`);
    const { acknowledged, seen } = read();
    if (acknowledged.length > 0) {
      await tx.execute(sql`
        INSERT INTO enforcement_point_acknowledgements AS known (enforcement_point_id, seq, via, acknowledged_at)
        SELECT "enforcementPointId", seq, via, clock_timestamp() - "ageMs" * interval '1 millisecond'
        FROM json_to_recordset(${JSON.stringify(acknowledged)}::json)
          AS given ("enforcementPointId" uuid, seq bigint, via text, "ageMs" double precision)
        JOIN enforcement_points ON enforcement_points.id = "enforcementPointId"
        ORDER BY 1, 2
        ON CONFLICT (enforcement_point_id, seq) DO UPDATE SET via = excluded.via, acknowledged_at = excluded.acknowledged_at
          WHERE excluded.acknowledged_at < known.acknowledged_at`);
    }
    if (seen.length === 0) return;
    await tx.execute(sql`
      INSERT INTO enforcement_point_sightings AS known (enforcement_point_id, seq, seen_at)
      SELECT "enforcementPointId", seq, clock_timestamp() - "ageMs" * interval '1 millisecond'
      FROM json_to_recordset(${JSON.stringify(seen)}::json)
        AS given ("enforcementPointId" uuid, seq bigint, "ageMs" double precision)
      JOIN enforcement_points ON enforcement_points.id = "enforcementPointId"
      ORDER BY 1
      ON CONFLICT (enforcement_point_id) DO UPDATE SET seq = greatest(known.seq, excluded.seq), seen_at = excluded.seen_at
        WHERE excluded.seen_at > known.seen_at`);
  });
}

/** Acknowledgements are known for so long after a change. */
export const ACKNOWLEDGEMENT_MEMORY_SECONDS = 30 * 86_400;
