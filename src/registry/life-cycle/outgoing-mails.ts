/** The mails that are to be sent: one for each occasion, each in the hands of one node at a time. */
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { outgoingMails } from '../../storage/schema/outgoing-mails.ts';
import { at, CONTACT_OCCASION, dueContacts, OUTDATED_TERMS, TERMS_REMINDER } from './attestation/attested.ts';

export type OutgoingMail = typeof outgoingMails.$inferSelect;

export type NewMail = Pick<OutgoingMail, 'id' | 'authorityId' | 'occasion' | 'recipient' | 'subject' | 'body'>;

/** For so long a mail that was claimed is nobody else's; longer than any attempt takes. */
const LEASE_MS = 600_000;
const FIRST_RETRY_MS = 300_000;
const LONGEST_RETRY_MS = 6 * 3_600_000;
/** A relay that is away comes back within days; a mail that is older tells nobody anything. */
const OUTDATED_MS = 7 * 86_400_000;

/** @returns whether it was written: of one occasion there is one mail */
export async function writeMail(tx: Tx, mail: NewMail, now: Date): Promise<boolean> {
  const written = await tx
    .insert(outgoingMails)
    .values({ ...mail, createdAt: now, dueAt: now })
    .onConflictDoNothing()
    .returning({ id: outgoingMails.id });
  return written.length > 0;
}

/** Takes what is due, oldest first; whoever dies over it leaves it to others after the lease. */
export async function claimMails(db: Db, now: Date, limit: number): Promise<OutgoingMail[]> {
  const due = sql`select id from ${outgoingMails}
    where sent_at is null and failed_at is null and due_at <= ${now.toISOString()}::timestamptz
    order by due_at limit ${limit} for update skip locked`;
  return await db
    .update(outgoingMails)
    .set({ dueAt: new Date(now.getTime() + LEASE_MS), attempts: sql`${outgoingMails.attempts} + 1` })
    .where(sql`${outgoingMails.id} = any(array(${due}))`)
    .returning();
}

/** Whether it tells nobody anything any more: as when there was no relay for long. */
export function isOutdated({ createdAt }: OutgoingMail, now: Date): boolean {
  return now.getTime() - createdAt.getTime() > OUTDATED_MS;
}

/** It left: whom it was for and when stays, what it said does not. */
export async function markSent(db: Db, mail: OutgoingMail, now: Date): Promise<void> {
  await settle(db, mail, { sentAt: now, body: '', failure: null });
}

/** It will never leave. */
export async function giveUp(db: Db, mail: OutgoingMail, failure: string, now: Date): Promise<void> {
  await settle(db, mail, { failedAt: now, body: '', failure });
}

/** It is tried again, ever later, until it is of no use to anybody. */
export async function putOff(db: Db, mail: OutgoingMail, failure: string, now: Date): Promise<void> {
  if (isOutdated(mail, now)) return await giveUp(db, mail, failure, now);
  const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** (mail.attempts - 1), LONGEST_RETRY_MS);
  await settle(db, mail, { dueAt: new Date(now.getTime() + pauseMs), failure });
}

/** How long it stays on record that a mail was sent, once nothing rests on it. */
const SENT_MEMORY_MS = 90 * 86_400_000;
/** After as long a reminder that never left is written anew, if it is due still. */
const FAILED_MEMORY_MS = 7 * 86_400_000;

/** Those that are over. Of a reminder that is due still it has to be known that it was sent, however long ago. */
export function isMailOver(now: Date): SQL {
  const before = (ms: number) => at(new Date(now.getTime() - ms));
  return sql`(failed_at <= ${before(FAILED_MEMORY_MS)} OR sent_at <= ${before(SENT_MEMORY_MS)}
    AND NOT EXISTS (SELECT 1 FROM ${dueContacts(now)} AND ${CONTACT_OCCASION} = outgoing_mails.occasion)
    AND NOT EXISTS (SELECT 1 FROM contacts, ${OUTDATED_TERMS}
      AND contacts.organisation_id = organisations.id AND ${TERMS_REMINDER} = outgoing_mails.occasion))`;
}

/** Only by whoever has it: after the lease it may be another's. */
async function settle(db: Db, { id, attempts }: OutgoingMail, change: Partial<OutgoingMail>): Promise<void> {
  await db
    .update(outgoingMails)
    .set(change)
    .where(and(eq(outgoingMails.id, id), eq(outgoingMails.attempts, attempts)));
}
