/** Finds suspensions whose end has come. */
import { and, asc, eq, gt, lte } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';

export interface DueSuspension {
  kind: 'organisation' | 'entity';
  id: string;
  version: number;
  until: Date;
}

/**
 * Organisations before entities, each in the order of their ids, page by page: those that cannot end hold up nobody who
 * comes after them.
 */
export async function* dueSuspensions(db: Db, now: Date, pageSize: number): AsyncGenerator<DueSuspension> {
  for (const [kind, table] of [
    ['organisation', organisations],
    ['entity', entities],
  ] as const) {
    for (let after: string | undefined; ; ) {
      const rows = await db
        .select({ id: table.id, version: table.version, until: table.suspendedUntil })
        .from(table)
        .where(
          and(
            eq(table.state, 'suspended'),
            lte(table.suspendedUntil, now),
            after === undefined ? undefined : gt(table.id, after),
          ),
        )
        .orderBy(asc(table.id))
        .limit(pageSize);
      for (const { id, version, until } of rows) if (until !== null) yield { kind, id, version, until };
      after = rows.at(-1)?.id;
      if (rows.length < pageSize) break;
    }
  }
}
