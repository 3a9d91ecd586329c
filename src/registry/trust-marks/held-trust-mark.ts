/** Trust Marks that an authority shows in its own Entity Configuration, as records. @see OIDFED §3.1.2 */
import { createHash } from 'node:crypto';
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { heldTrustMarks } from '../../storage/schema/held-trust-marks.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { isRecordId } from '../record-id.ts';

export type HeldTrustMark = typeof heldTrustMarks.$inferSelect;

/** Whether a mark is shown: it was not dropped, and has not expired. */
export function isShown({ state, expiresAt }: HeldTrustMark, now: Date): boolean {
  return state === 'held' && (expiresAt === null || expiresAt > now);
}

/** @throws RegistryError not_found, role_missing */
export async function readHeldTrustMark(db: Db | Tx, actor: Actor, heldId: string): Promise<HeldTrustMark> {
  requireRole(actor, READERS);
  if (!isRecordId(heldId)) throw notFound('held trust mark', heldId);
  const [found] = await db.select().from(heldTrustMarks).where(eq(heldTrustMarks.id, heldId));
  if (found === undefined || found.state !== 'held' || !reaches(actor, found.authorityId)) {
    throw notFound('held trust mark', heldId);
  }
  return found;
}

/** All that an authority holds, expired ones too. @throws RegistryError not_found, role_missing */
export async function listHeldTrustMarks(db: Db, actor: Actor, authorityId?: string): Promise<HeldTrustMark[]> {
  requireRole(actor, READERS);
  if (authorityId !== undefined) authorise(actor, READERS, authorityId);
  return await db
    .select()
    .from(heldTrustMarks)
    .where(
      and(
        eq(heldTrustMarks.state, 'held'),
        actor.authorities === 'all' ? undefined : inArray(heldTrustMarks.authorityId, [...actor.authorities]),
        authorityId === undefined ? undefined : eq(heldTrustMarks.authorityId, authorityId),
      ),
    )
    .orderBy(asc(heldTrustMarks.id));
}

/**
 * Takes marks of which a fresh one is to be asked for by now, in any authority, the longest due first. For the time of
 * the lease nobody else is given them; whoever dies over one leaves it to others then.
 */
export async function claimHeldTrustMarks(
  db: Db,
  now: Date,
  limit: number,
  leaseSeconds: number,
): Promise<HeldTrustMark[]> {
  const due = sql`select id from held_trust_marks
    where state = 'held' and next_refresh_at <= ${now.toISOString()}::timestamptz
    order by next_refresh_at limit ${limit} for update skip locked`;
  return await db
    .update(heldTrustMarks)
    .set({ nextRefreshAt: new Date(now.getTime() + leaseSeconds * 1000) })
    .where(sql`${heldTrustMarks.id} = any(array(${due}))`)
    .returning();
}

/** Notes that a fresh mark could not be had, and when to try again; nothing of that is published. */
export async function noteRefreshProblem(db: Db, { id, version }: HeldTrustMark, problem: string, next: Date) {
  await db
    .update(heldTrustMarks)
    // It may quote what others wrote.
    .set({ refreshProblem: problem.replaceAll('\0', '').slice(0, 500).toWellFormed(), nextRefreshAt: next })
    .where(and(eq(heldTrustMarks.id, id), eq(heldTrustMarks.version, version)));
}

/** A mark may be long and is refreshed for ever: the audit knows it by its SHA-256. */
export function heldTrustMarkSnapshot({ trustMarkType, issuer, jwt, expiresAt, state }: HeldTrustMark): JsonObject {
  const digest = createHash('sha256').update(jwt).digest('hex');
  return { trustMarkType, issuer, digest, expiresAt: expiresAt?.toISOString() ?? null, state };
}
