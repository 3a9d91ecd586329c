/** Reads the audit trail: who changed what, why and when, in the order of seq. */
import { and, asc, eq, getTableColumns, inArray, type SQL } from 'drizzle-orm';
import { isAfter } from '../../storage/audit-chain.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { type Actor, authorise, requireRole } from '../actor.ts';
import type { PageRequest } from '../page.ts';
import { invalidField } from '../registry-error.ts';

/** What is measured is no part of what is recorded. */
const { writtenAt: _, ...columns } = getTableColumns(audit);
export const RECORDED_COLUMNS = columns;

export type AuditRow = Omit<typeof audit.$inferSelect, 'writtenAt'>;

export interface AuditFilter {
  authorityId?: string;
  subjectKind?: string;
  subjectId?: string;
}

const CURSOR = /^(\d{1,15})\.(\d{1,9})$/;

/** An actor of some authorities sees the rows of these only. @throws RegistryError role_missing, not_found */
export async function listAudit(
  db: Db,
  actor: Actor,
  filter: AuditFilter,
  request: PageRequest,
): Promise<{ items: AuditRow[]; next?: string }> {
  requireRole(actor, ['admin', 'auditor']);
  if (filter.authorityId !== undefined) authorise(actor, ['admin', 'auditor'], filter.authorityId);
  const rows = await db
    .select(RECORDED_COLUMNS)
    .from(audit)
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(audit.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(audit.authorityId, filter.authorityId),
        filter.subjectKind === undefined ? undefined : eq(audit.subjectKind, filter.subjectKind),
        filter.subjectId === undefined ? undefined : eq(audit.subjectId, filter.subjectId),
        afterCursor(request.cursor),
      ),
    )
    .orderBy(asc(audit.seq), asc(audit.ordinal))
    .limit(request.limit + 1);
  const items = rows.slice(0, request.limit);
  const last = items.at(-1);
  return rows.length <= request.limit || last === undefined
    ? { items }
    : { items, next: `${last.seq}.${last.ordinal}` };
}

function afterCursor(cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const [, seq, ordinal] = CURSOR.exec(cursor) ?? [];
  if (seq === undefined) throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  return isAfter({ seq: Number(seq), ordinal: Number(ordinal) });
}
