/** Who is told of events, and how far that has come. */
import { bigint, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';

export type WebhookState = 'active' | 'paused' | 'removed';
export type DeliveryState = 'waiting' | 'delivered' | 'dead';

export const webhooks = pgTable('webhooks', {
  id: uuid('id').primaryKey(),
  /** Null: events of all authorities. */
  authorityId: uuid('authority_id').references(() => authorities.id),
  name: text('name').notNull(),
  url: text('url').notNull(),
  sealedSecret: bytea('sealed_secret').notNull(),
  /** The secret before the last rotation signs as well until then. */
  previousSealedSecret: bytea('previous_sealed_secret'),
  previousSecretUntil: timestamp('previous_secret_until', { withTimezone: true }),
  /** Types of events, or whole kinds such as `organisation.*`; none: all. */
  types: jsonb('types').$type<string[]>().notNull().default([]),
  /** Roles by their ids, of which the member has one; none: all events. */
  roleIds: jsonb('role_ids').$type<string[]>().notNull().default([]),
  state: text('state').$type<WebhookState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  /** Deliveries are made of all events up to this seq. */
  plannedThroughSeq: bigint('planned_through_seq', { mode: 'number' }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    ordinal: integer('ordinal').notNull(),
    /** Deliveries of one subject go out in their order. */
    subjectId: text('subject_id').notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** Since when it waits, or waited: it dies three days later. */
    plannedAt: timestamp('planned_at', { withTimezone: true }).notNull(),
    nextAttemptAt: timestamp('next_attempt_at', { withTimezone: true }).notNull(),
    lastAttemptAt: timestamp('last_attempt_at', { withTimezone: true }),
    /** What the receiver answered; null: nothing, see lastFailure. */
    lastStatus: integer('last_status'),
    lastFailure: text('last_failure'),
    deliveredAt: timestamp('delivered_at', { withTimezone: true }),
  },
  (table) => [primaryKey({ columns: [table.webhookId, table.seq, table.ordinal] })],
);
