/** Finds suspensions whose end has come. */
import { and, asc, eq, lte } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';

export interface DueSuspension {
  kind: 'organisation' | 'entity';
  id: string;
  version: number;
  until: Date;
}

/** The longest overdue first, organisations before entities: at most `limit` of each. */
export async function dueSuspensions(db: Db, now: Date, limit: number): Promise<DueSuspension[]> {
  const due: DueSuspension[] = [];
  for (const [kind, table] of [
    ['organisation', organisations],
    ['entity', entities],
  ] as const) {
    const rows = await db
      .select({ id: table.id, version: table.version, until: table.suspendedUntil })
      .from(table)
      .where(and(eq(table.state, 'suspended'), lte(table.suspendedUntil, now)))
      .orderBy(asc(table.suspendedUntil), asc(table.id))
      .limit(limit);
    for (const { id, version, until } of rows) if (until !== null) due.push({ kind, id, version, until });
  }
  return due;
}
