/** Reads enrolments with their steps and approvals, as far as the reader reaches. */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import { type Actor, authorise, notFound, READERS_AND_MEMBERS, reaches, requireRole } from '../../registry/actor.ts';
import type { Authority } from '../../registry/authorities/authority.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../../registry/page.ts';
import { isRecordId } from '../../registry/record-id.ts';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import {
  type EnrolmentState,
  enrolmentApprovals,
  enrolmentSteps,
  enrolments,
} from '../../storage/schema/enrolments.ts';
import {
  type Enrolment,
  type EnrolmentApproval,
  type EnrolmentRow,
  type EnrolmentStepRow,
  isSameFlow,
  OPEN_STATES,
  presentFlow,
} from './enrolment.ts';

/** @throws RegistryError not_found (also when it is out of reach), role_missing */
export async function readEnrolment(db: Db | Tx, actor: Actor, enrolmentId: string): Promise<Enrolment> {
  requireRole(actor, READERS_AND_MEMBERS);
  if (!isRecordId(enrolmentId)) throw notFound('enrolment', enrolmentId);
  const [found] = await enrolmentQuery(db).execute({ enrolmentId });
  if (found === undefined || !isInReach(actor, found.row)) throw notFound('enrolment', enrolmentId);
  const [enrolment] = await withSteps(db, [known(found)]);
  if (enrolment === undefined) throw notFound('enrolment', enrolmentId);
  return enrolment;
}

const WITH_FLOW = { row: enrolments, enrolmentFlow: authorities.enrolmentFlow };

const enrolmentQuery = composedOnce((db) =>
  db
    .select(WITH_FLOW)
    .from(enrolments)
    .innerJoin(authorities, eq(authorities.id, enrolments.authorityId))
    .where(eq(enrolments.id, sql.placeholder('enrolmentId')))
    .prepare('read_enrolment'),
);

type Known = EnrolmentRow & Pick<Enrolment, 'isFlowChanged'>;

/** Steps that have not run yet are taken from the flow as it is when they do. */
function known({ row, ...authority }: Pick<Authority, 'enrolmentFlow'> & { row: EnrolmentRow }): Known {
  const hasRun = OPEN_STATES.includes(row.state) && row.state !== 'draft';
  return { ...row, isFlowChanged: hasRun && !isSameFlow(row.flow, presentFlow(authority)) };
}

/** One whose organisation nobody named yet is for those who work for the authority. */
function isInReach(actor: Actor, { authorityId, organisationId, entityId }: EnrolmentRow): boolean {
  return reaches(actor, authorityId, organisationId ?? undefined, entityId ?? undefined);
}

export interface EnrolmentFilter {
  authorityId?: string;
  organisationId?: string;
  entityIdentifier?: string;
  state?: EnrolmentState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listEnrolments(
  db: Db,
  actor: Actor,
  filter: EnrolmentFilter,
  request: PageRequest,
): Promise<Page<Enrolment>> {
  requireRole(actor, READERS_AND_MEMBERS);
  const { authorityId, organisationId, entityIdentifier, state } = filter;
  if (authorityId !== undefined && !(isRecordId(authorityId) && reachesAuthority(actor, authorityId))) {
    throw notFound('authority', authorityId);
  }
  const after = cursorId(request);
  const rows = await db
    .select(WITH_FLOW)
    .from(enrolments)
    .innerJoin(authorities, eq(authorities.id, enrolments.authorityId))
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(enrolments.authorityId, [...actor.authorities]),
        actor.organisations === 'all' ? undefined : inArray(enrolments.organisationId, [...actor.organisations]),
        actor.entityId === undefined ? undefined : eq(enrolments.entityId, actor.entityId),
        authorityId === undefined ? undefined : eq(enrolments.authorityId, authorityId),
        organisationId === undefined ? undefined : eq(enrolments.organisationId, organisationId),
        entityIdentifier === undefined ? undefined : eq(enrolments.entityIdentifier, entityIdentifier),
        state === undefined ? undefined : eq(enrolments.state, state),
        after === undefined ? undefined : gt(enrolments.id, after),
      ),
    )
    .orderBy(asc(enrolments.id))
    .limit(request.limit + 1);
  const { items, ...rest } = pageOf(rows.map(known), request);
  return { items: await withSteps(db, items), ...rest };
}

function reachesAuthority({ authorities }: Actor, authorityId: string): boolean {
  return authorities === 'all' || authorities.has(authorityId);
}

/** May somebody with these roles act on the enrolment. @throws RegistryError not_found, role_missing */
export function authoriseEnrolment(
  actor: Actor,
  roles: Parameters<typeof authorise>[1],
  { authorityId, organisationId, entityId }: Pick<EnrolmentRow, 'authorityId' | 'organisationId' | 'entityId'>,
): void {
  authorise(actor, roles, authorityId, organisationId ?? undefined, entityId ?? undefined);
}

export async function stepsOf(db: Db | Tx, enrolmentId: string): Promise<EnrolmentStepRow[]> {
  return await db
    .select()
    .from(enrolmentSteps)
    .where(eq(enrolmentSteps.enrolmentId, enrolmentId))
    .orderBy(asc(enrolmentSteps.position));
}

/** Approvals of one version of the evidence. */
export async function approvalsOf(db: Db | Tx, { id, version }: EnrolmentRow): Promise<EnrolmentApproval[]> {
  return await db
    .select()
    .from(enrolmentApprovals)
    .where(and(eq(enrolmentApprovals.enrolmentId, id), eq(enrolmentApprovals.version, version)))
    .orderBy(asc(enrolmentApprovals.at), asc(enrolmentApprovals.actorId));
}

async function withSteps(db: Db | Tx, rows: readonly Known[]): Promise<Enrolment[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const steps = await stepsQuery(db).execute({ ids });
  const approvals = await approvalsQuery(db).execute({ ids });
  const stepsById = Map.groupBy(steps, ({ enrolmentId }) => enrolmentId);
  const approvalsById = Map.groupBy(approvals, ({ enrolmentId }) => enrolmentId);
  return rows.map((row) => ({
    ...row,
    steps: stepsById.get(row.id) ?? [],
    approvals: (approvalsById.get(row.id) ?? []).filter(({ version }) => version === row.version),
  }));
}

const stepsQuery = composedOnce((db) =>
  db
    .select()
    .from(enrolmentSteps)
    .where(eq(enrolmentSteps.enrolmentId, sql`any(${sql.placeholder('ids')})`))
    .orderBy(asc(enrolmentSteps.position))
    .prepare('steps_of_enrolments'),
);

const approvalsQuery = composedOnce((db) =>
  db
    .select()
    .from(enrolmentApprovals)
    .where(eq(enrolmentApprovals.enrolmentId, sql`any(${sql.placeholder('ids')})`))
    .orderBy(asc(enrolmentApprovals.at), asc(enrolmentApprovals.actorId))
    .prepare('approvals_of_enrolments'),
);
