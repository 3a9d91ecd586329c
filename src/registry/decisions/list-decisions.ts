/** Lists what was answered to those who asked for admission, the latest first. */
import { and, asc, desc, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { decisions } from '../../storage/schema/decisions.ts';
import { ACCESS } from '../access.ts';
import type { Actor } from '../actor.ts';
import type { Page, PageRequest } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';

export type DecisionRow = typeof decisions.$inferSelect;

export interface DecisionFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  enforcementPointId?: string;
  decision?: DecisionRow['decision'];
  /** Among others, perhaps. */
  reason?: string;
  from?: Date;
  /** Not at this moment itself any more. */
  to?: Date;
}

/**
 * Members see what became of their own. @throws RegistryError not_found when the filter names an authority out of reach,
 * role_missing
 */
export async function listDecisions(
  db: Db,
  actor: Actor,
  filter: DecisionFilter,
  request: PageRequest,
): Promise<Page<DecisionRow>> {
  const { authorityId, organisationId, entityId, enforcementPointId, decision, reason, from, to } = filter;
  const columns = {
    authority: decisions.authorityId,
    organisation: decisions.organisationId,
    entity: decisions.entityId,
  };
  const rows = await db
    .select()
    .from(decisions)
    .where(
      and(
        inReach(actor, ACCESS.listDecisions.roles, columns, authorityId),
        organisationId === undefined ? undefined : eq(decisions.organisationId, organisationId),
        entityId === undefined ? undefined : eq(decisions.entityId, entityId),
        enforcementPointId === undefined ? undefined : eq(decisions.enforcementPointId, enforcementPointId),
        decision === undefined ? undefined : eq(decisions.decision, decision),
        reason === undefined ? undefined : sql`${decisions.reasons} ? ${reason}`,
        from === undefined ? undefined : gte(decisions.decidedAt, from),
        to === undefined ? undefined : lt(decisions.decidedAt, to),
        afterCursor(request),
      ),
    )
    .orderBy(desc(decisions.decidedAt), asc(decisions.chain), asc(decisions.ordinal))
    .limit(request.limit + 1);
  const items = rows.slice(0, request.limit);
  const last = items.at(-1);
  if (rows.length <= request.limit || last === undefined) return { items };
  return { items, next: cursorOf(last) };
}

function cursorOf({ decidedAt, chain, ordinal }: DecisionRow): string {
  return Buffer.from(`${decidedAt.toISOString()} ${chain} ${ordinal}`, 'latin1').toString('base64url');
}

/** @throws RegistryError validation_failed */
function afterCursor({ cursor }: PageRequest): SQL | undefined {
  if (cursor === undefined) return undefined;
  const place = readCursor(cursor);
  if (place === undefined) throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  const { decidedAt, chain, ordinal } = place;
  return sql`(${decisions.decidedAt} < ${decidedAt}::timestamptz OR (${decisions.decidedAt} = ${decidedAt}::timestamptz
    AND (${decisions.chain}, ${decisions.ordinal}) > (${chain}::uuid, ${ordinal}::bigint)))`;
}

export function isDecisionCursor(cursor: string): boolean {
  return readCursor(cursor) !== undefined;
}

function readCursor(cursor: string): { decidedAt: string; chain: string; ordinal: string } | undefined {
  const [decidedAt = '', chain = '', ordinal = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(' ');
  // Years before 1000 are other ones to databases, or none; and not every month has 31 days.
  const isOurs = /^[1-9]\d{3}-/.test(decidedAt) && isoOf(Date.parse(decidedAt)) === decidedAt;
  return isOurs && isRecordId(chain) && /^\d{1,15}$/.test(ordinal) ? { decidedAt, chain, ordinal } : undefined;
}

function isoOf(ms: number): string | undefined {
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
