/** Reads exceptions with how their entities stand, as far as the reader reaches. */
import { and, asc, eq, gt, inArray, lte, not, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { type ExceptionKind, entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import type { ClockedExceptionState, EntityException } from './exception.ts';

/** @throws RegistryError not_found (also when it belongs to somebody out of reach), role_missing */
export async function readException(db: Db | Tx, actor: Actor, id: string): Promise<EntityException> {
  requireRole(actor, ACCESS.readException.roles);
  const [found] = isRecordId(id) ? await select(db, eq(entityExceptions.id, id), 1) : [];
  if (found === undefined || !reaches(actor, found.authorityId, found.organisationId, found.entityId)) {
    throw notFound('exception', id);
  }
  return found;
}

export interface ExceptionFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  kind?: ExceptionKind;
  /** By the clock. */
  state?: ClockedExceptionState;
}

/** Oldest first. @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listExceptions(
  db: Db,
  actor: Actor,
  { authorityId, organisationId, entityId, kind, state }: ExceptionFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<EntityException>> {
  const columns = {
    authority: entityExceptions.authorityId,
    organisation: entities.organisationId,
    entity: entities.id,
  };
  const reached = inReach(actor, ACCESS.listExceptions.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      organisationId === undefined ? undefined : eq(entities.organisationId, organisationId),
      entityId === undefined ? undefined : eq(entityExceptions.entityId, entityId),
      kind === undefined ? undefined : eq(entityExceptions.kind, kind),
      state === undefined ? undefined : isInState(state, now),
      after === undefined ? undefined : gt(entityExceptions.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

/** As exceptionState says. */
function isInState(state: ClockedExceptionState, now: Date): SQL | undefined {
  const isOver = lte(entityExceptions.endsAt, now);
  if (state === 'expired') return and(inArray(entityExceptions.state, ['pending', 'approved']), isOver);
  const isSo = eq(entityExceptions.state, state);
  return state === 'pending' || state === 'approved' ? and(isSo, not(isOver)) : isSo;
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<EntityException[]> {
  const rows = await db
    .select({
      exception: entityExceptions,
      entityIdentifier: entities.entityIdentifier,
      organisationId: entities.organisationId,
      ownState: entities.state,
      organisationState: organisations.state,
    })
    .from(entityExceptions)
    .innerJoin(entities, eq(entities.id, entityExceptions.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(where)
    .orderBy(asc(entityExceptions.id))
    .limit(limit);
  return rows.map(({ exception, ...entity }) => ({ ...exception, ...entity }));
}
