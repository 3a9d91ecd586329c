/** Keys on their way from a token to the registry: one that never arrives is destroyed in the token. */
import { boolean, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export const tokenObjectsInMaking = pgTable('token_objects_in_making', {
  tokenObject: text('token_object').primaryKey(),
  owner: text('owner').notNull(),
  purpose: text('purpose')
    .$type<'federation' | 'hosted-entity' | 'certification-authority' | 'ocsp-responder'>()
    .notNull(),
  /** By the clock of the database. */
  madeAt: timestamp('made_at', { withTimezone: true }).notNull().defaultNow(),
  /** From then on nobody may take it up. */
  isGivenUp: boolean('is_given_up').notNull().default(false),
});
