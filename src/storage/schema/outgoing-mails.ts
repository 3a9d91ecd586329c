/** Mails that are to be sent, and those that were: written with what they tell about, sent by one node. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export const outgoingMails = pgTable('outgoing_mails', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  /** What it is about: one mail is ever written about it. */
  occasion: text('occasion').notNull().unique(),
  recipient: text('recipient').notNull(),
  subject: text('subject').notNull(),
  body: text('body').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  attempts: integer('attempts').notNull().default(0),
  /** When it is tried next; whoever tries puts it off first, so that nobody else does meanwhile. */
  dueAt: timestamp('due_at', { withTimezone: true }).notNull(),
  sentAt: timestamp('sent_at', { withTimezone: true }),
  /** When it was given up. */
  failedAt: timestamp('failed_at', { withTimezone: true }),
  failure: text('failure'),
});
