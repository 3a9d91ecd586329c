/** Which entities show a valid Trust Mark of ours. @see COLLECTION §2.2 */
import { inArray, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Db } from '../../storage/connect.ts';
import { issuedTrustMarks, trustMarks } from '../../storage/schema/trust-marks.ts';
import { holdersOf } from '../trust-marks/list-holders.ts';
import type { CollectedMark } from './collection-query.ts';

/** Who shows marks, and where they stand. */
export interface MarkBearer {
  entityIdentifier: PgColumn;
  /** `trust_marks` of its Entity Configuration; null for none. */
  trustMarks: SQLWrapper;
}

/** The mark stands in its Entity Configuration, byte for byte as it was issued here, and counts still. */
export function showsMark(
  db: Db,
  bearer: MarkBearer,
  { trustMarkType, typeIds }: CollectedMark,
  revokedKids: readonly string[],
  now: Date,
): SQL {
  const revoked = revokedKids.length === 0 ? sql`` : sql`and ${issuedTrustMarks.kid} not in ${[...revokedKids]}`;
  return sql`(${inArray(bearer.entityIdentifier, holdersOf(db, typeIds, now))} and exists (
    select 1
    from jsonb_array_elements(coalesce(${bearer.trustMarks}, '[]'::jsonb)) as shown(mark)
    join ${issuedTrustMarks}
      on ${issuedTrustMarks.digest} = sha256(convert_to(shown.mark ->> 'trust_mark', 'UTF8'))
    join ${trustMarks} on ${trustMarks.id} = ${issuedTrustMarks.trustMarkId}
    where shown.mark ->> 'trust_mark_type' = ${trustMarkType}
      and ${inArray(trustMarks.typeId, [...typeIds])}
      and ${trustMarks.subject} = ${bearer.entityIdentifier}
      and (${issuedTrustMarks.expiresAt} is null or ${issuedTrustMarks.expiresAt} > ${now.toISOString()}::timestamptz)
      ${revoked}))`;
}
