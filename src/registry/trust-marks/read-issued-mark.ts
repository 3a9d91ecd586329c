/** What became of a Trust Mark that was issued, found by the digest of its bytes. @see OIDFED §8.4 */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { issuedTrustMarks, trustMarks } from '../../storage/schema/trust-marks.ts';
import { ITS_ENTITY, ITS_ORGANISATION, stands } from './standing.ts';

/** What never changes about an issued mark. */
export interface IssuedMark {
  trustMarkId: string;
  typeId: string;
  /** The key that signed it. */
  kid: string;
  /** Its `exp`; null without. */
  expiresAt: Date | null;
}

/** @returns undefined for what this authority did not issue, or so long ago that it was forgotten */
export async function readIssuedMark(db: Db, authorityId: string, digest: Uint8Array): Promise<IssuedMark | undefined> {
  const [found] = await db
    .select({
      trustMarkId: issuedTrustMarks.trustMarkId,
      typeId: trustMarks.typeId,
      kid: issuedTrustMarks.kid,
      expiresAt: issuedTrustMarks.expiresAt,
    })
    .from(issuedTrustMarks)
    .innerJoin(trustMarks, eq(trustMarks.id, issuedTrustMarks.trustMarkId))
    .where(and(eq(issuedTrustMarks.digest, digest), eq(issuedTrustMarks.authorityId, authorityId)));
  return found;
}

/** How the grant of a mark fares, until something changes. */
export interface MarkStanding {
  stands: boolean;
  /** End of the grant; null: none. */
  endsAt: Date | null;
}

export async function readMarkStanding(db: Db, trustMarkId: string): Promise<MarkStanding | undefined> {
  const [found] = await db
    .select({ stands: sql<boolean>`coalesce(${stands(db)}, false)`, endsAt: trustMarks.expiresAt })
    .from(trustMarks)
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(eq(trustMarks.id, trustMarkId));
  return found;
}

/** An issued mark with how its grant fares. */
export interface FaringMark extends IssuedMark, MarkStanding {
  digest: Uint8Array;
  authorityId: string;
  /** Who bears it. */
  subject: string;
}

/** Of marks known by the digests of their bytes those that authorities of ours issued. */
export async function readFaringMarks(db: Db, digests: readonly Uint8Array[]): Promise<FaringMark[]> {
  if (digests.length === 0) return [];
  const { digest, authorityId, trustMarkId, kid, expiresAt } = issuedTrustMarks;
  // One parameter, however many there are.
  const asked = JSON.stringify(digests.map((one) => Buffer.from(one).toString('hex')));
  return await db
    .select({
      ...{ digest, authorityId, trustMarkId, kid, expiresAt },
      ...{ typeId: trustMarks.typeId, subject: trustMarks.subject },
      stands: sql<boolean>`coalesce(${stands(db)}, false)`,
      endsAt: trustMarks.expiresAt,
    })
    .from(issuedTrustMarks)
    .innerJoin(trustMarks, eq(trustMarks.id, trustMarkId))
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(sql`${digest} in (select decode(hex, 'hex') from jsonb_array_elements_text(${asked}::jsonb) as asked(hex))`);
}

/** Whether the authority ever granted the subject a mark of the type: requests that came to nothing do not count. */
export async function wasEverGranted(
  db: Db,
  authorityId: string,
  trustMarkType: string,
  subject: string,
): Promise<boolean> {
  const rows = await db
    .select({ one: sql<number>`1` })
    .from(trustMarks)
    .innerJoin(trustMarkTypes, eq(trustMarkTypes.id, trustMarks.typeId))
    .where(
      and(
        eq(trustMarks.authorityId, authorityId),
        eq(trustMarks.subject, subject),
        eq(trustMarkTypes.trustMarkType, trustMarkType),
        inArray(trustMarks.state, ['active', 'withdrawn']),
      ),
    )
    .limit(1);
  return rows.length > 0;
}
