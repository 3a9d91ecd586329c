/** Contacts: whom to reach in an organisation, about what. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { organisations } from './organisations.ts';

export type ContactType = 'business' | 'technical' | 'security' | 'incident' | 'billing';

export const contacts = pgTable('contacts', {
  id: uuid('id').primaryKey(),
  organisationId: uuid('organisation_id')
    .notNull()
    .references(() => organisations.id),
  type: text('type').$type<ContactType>().notNull(),
  name: text('name'),
  email: text('email').notNull(),
  /** Fingerprint of the OpenPGP key to encrypt to, in upper-case hexadecimal digits. */
  pgpFingerprint: text('pgp_fingerprint'),
  /** When this address was confirmed for the first time; null while it never was. */
  verifiedAt: timestamp('verified_at', { withTimezone: true }),
  lastConfirmedAt: timestamp('last_confirmed_at', { withTimezone: true }),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  /** A removed contact stays on record. */
  removedAt: timestamp('removed_at', { withTimezone: true }),
});
