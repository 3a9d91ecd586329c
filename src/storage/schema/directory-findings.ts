/** What the upkeep noticed about organisations and what belongs to them; gone when it is cured. */
import { pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { organisations } from './organisations.ts';

export const directoryFindings = pgTable(
  'directory_findings',
  {
    id: uuid('id').primaryKey(),
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    organisationId: uuid('organisation_id')
      .notNull()
      .references(() => organisations.id),
    subjectKind: text('subject_kind').notNull(),
    subjectId: uuid('subject_id').notNull(),
    subjectName: text('subject_name').notNull(),
    kind: text('kind').notNull(),
    detail: text('detail').notNull(),
    since: timestamp('since', { withTimezone: true }).notNull(),
  },
  (table) => [unique().on(table.subjectId, table.kind)],
);
