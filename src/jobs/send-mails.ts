/** Sends the mails that wait. A node that dies after the relay took one, before that is on record, sends it once more. */
import { type MailSender, UnsendableMail } from '../outbound/mail-sender.ts';
import {
  claimMails,
  giveUp,
  isOutdated,
  markSent,
  type OutgoingMail,
  putOff,
} from '../registry/life-cycle/outgoing-mails.ts';
import type { Db } from '../storage/connect.ts';

export interface MailSending {
  db: Db;
  now: () => Date;
  sender: Pick<MailSender, 'send'>;
  /** Told of each attempt that failed. */
  onFailure: (error: unknown, mailId: string) => void;
}

/** Claimed at once: one after the other, they are sent within the lease. */
const BATCH = 10;

/** One round. Of nodes that do so at once each sends other mails. */
export async function sendMails(job: MailSending, signal?: AbortSignal): Promise<void> {
  const isStopped = () => signal?.aborted === true;
  while (!isStopped()) {
    const mails = await claimMails(job.db, job.now(), BATCH);
    if (mails.length === 0) return;
    for (const mail of mails) {
      // What was claimed and not sent is anybody's after the lease.
      if (!isStopped()) await sendOne(job, mail);
    }
  }
}

async function sendOne({ db, now, sender, onFailure }: MailSending, mail: OutgoingMail): Promise<void> {
  if (isOutdated(mail, now())) return await giveUp(db, mail, mail.failure ?? 'there was no relay in time', now());
  const { id, recipient: to, subject, body: text, createdAt: date } = mail;
  try {
    await sender.send({ id, to, subject, text, date });
  } catch (error) {
    onFailure(error, id);
    const failure = error instanceof Error ? error.message : String(error);
    return await (error instanceof UnsendableMail ? giveUp : putOff)(db, mail, storable(failure), now());
  }
  await markSent(db, mail, now());
}

/** What a relay said, as far as a database takes it. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '').slice(0, 500);
}
