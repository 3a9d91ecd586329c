/** What legacy partners are let off for a while. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { entities } from './entities.ts';

/** `no_mtls`: it is admitted without a client certificate; `unbound_token`: with tokens not bound to one. */
export type ExceptionKind = 'no_mtls' | 'unbound_token';

export type ExceptionState = 'pending' | 'approved' | 'rejected' | 'ended';

export const entityExceptions = pgTable('entity_exceptions', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  kind: text('kind').$type<ExceptionKind>().notNull(),
  reason: text('reason').notNull(),
  /** The token of whoever answers for it, and its name at that time. */
  ownerId: text('owner_id').notNull(),
  ownerName: text('owner_name').notNull(),
  requesterId: text('requester_id').notNull(),
  requesterName: text('requester_name').notNull(),
  state: text('state').$type<ExceptionState>().notNull(),
  /** Neither owner nor requester. */
  approverId: text('approver_id'),
  approverName: text('approver_name'),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  /** A year from its request at most; it acts by itself. */
  endsAt: timestamp('ends_at', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
