/** Trust Marks as records: grants of a type to a subject, from the request to the withdrawal. */
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { type TrustMarkState, trustMarks } from '../../storage/schema/trust-marks.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';

export type TrustMark = typeof trustMarks.$inferSelect;

/** A grant with the name of its type. */
export interface NamedTrustMark extends TrustMark {
  trustMarkType: string;
}

/** @throws RegistryError not_found, role_missing */
export async function readTrustMark(db: Db | Tx, actor: Actor, trustMarkId: string): Promise<NamedTrustMark> {
  requireRole(actor, READERS);
  if (!isRecordId(trustMarkId)) throw notFound('trust mark', trustMarkId);
  const [found] = await db
    .select({ mark: trustMarks, trustMarkType: trustMarkTypes.trustMarkType })
    .from(trustMarks)
    .innerJoin(trustMarkTypes, eq(trustMarkTypes.id, trustMarks.typeId))
    .where(eq(trustMarks.id, trustMarkId));
  if (found === undefined || !reaches(actor, found.mark.authorityId)) throw notFound('trust mark', trustMarkId);
  return { ...found.mark, trustMarkType: found.trustMarkType };
}

export interface TrustMarkFilter {
  authorityId?: string;
  typeId?: string;
  subject?: string;
  entityId?: string;
  state?: TrustMarkState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTrustMarks(
  db: Db,
  actor: Actor,
  filter: TrustMarkFilter,
  request: PageRequest,
): Promise<Page<NamedTrustMark>> {
  requireRole(actor, READERS);
  if (filter.authorityId !== undefined) authorise(actor, READERS, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select({ mark: trustMarks, trustMarkType: trustMarkTypes.trustMarkType })
    .from(trustMarks)
    .innerJoin(trustMarkTypes, eq(trustMarkTypes.id, trustMarks.typeId))
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(trustMarks.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(trustMarks.authorityId, filter.authorityId),
        filter.typeId === undefined ? undefined : eq(trustMarks.typeId, filter.typeId),
        filter.subject === undefined ? undefined : eq(trustMarks.subject, filter.subject),
        filter.entityId === undefined ? undefined : eq(trustMarks.entityId, filter.entityId),
        filter.state === undefined ? undefined : eq(trustMarks.state, filter.state),
        after === undefined ? undefined : gt(trustMarks.id, after),
      ),
    )
    .orderBy(asc(trustMarks.id))
    .limit(request.limit + 1);
  return pageOf(
    rows.map(({ mark, trustMarkType }) => ({ ...mark, trustMarkType })),
    request,
  );
}

export const TRUST_MARK_TRANSITIONS = {
  approve: { from: 'pending', to: 'active' },
  reject: { from: 'pending', to: 'rejected' },
  withdraw: { from: 'active', to: 'withdrawn' },
} as const satisfies Record<string, { from: TrustMarkState; to: TrustMarkState }>;

export type TrustMarkTransition = keyof typeof TRUST_MARK_TRANSITIONS;

export const TRUST_MARK_TRANSITION_NAMES = Object.keys(TRUST_MARK_TRANSITIONS) as TrustMarkTransition[];

/** What may be done with a grant in this state, besides renewing an active one. */
export function allowedTrustMarkTransitions(state: TrustMarkState): TrustMarkTransition[] {
  return TRUST_MARK_TRANSITION_NAMES.filter((name) => TRUST_MARK_TRANSITIONS[name].from === state);
}

/** @throws RegistryError illegal_transition */
export function requireTrustMarkState(mark: TrustMark, wanted: TrustMarkState, what: string): void {
  if (mark.state === wanted) return;
  const allowed = allowedTrustMarkTransitions(mark.state);
  const possible = allowed.length === 0 ? 'nothing; grant a new one' : allowed.join(', ');
  const message = `cannot ${what} a mark that is ${mark.state}; possible: ${possible}`;
  throw new RegistryError('illegal_transition', message, { from: mark.state, allowed });
}

/** Takes hold of a grant until the transaction ends. @throws RegistryError not_found */
export async function lockTrustMark(tx: Tx, trustMarkId: string): Promise<TrustMark> {
  const [mark] = await tx.select().from(trustMarks).where(eq(trustMarks.id, trustMarkId)).for('update');
  if (mark === undefined) throw notFound('trust mark', trustMarkId);
  return mark;
}

export function trustMarkSnapshot(mark: TrustMark): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, stateChangedAt: _____, expiresAt, ...fields } = mark;
  return { ...fields, expiresAt: expiresAt?.toISOString() ?? null };
}
