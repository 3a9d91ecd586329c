/** Approves, rejects or ends an exception. */
import { eq } from 'drizzle-orm';
import { entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { RegistryError } from '../registry-error.ts';
import {
  type EntityException,
  EXCEPTION_TRANSITIONS,
  type ExceptionRow,
  type ExceptionTransition,
  exceptionSnapshot,
  requireExceptionTransition,
} from './exception.ts';
import { readException } from './read-exception.ts';

const OPERATIONS = { approve: 'approveException', reject: 'rejectException', end: 'endException' } as const;

/**
 * Neither whoever answers for it nor whoever asked for it can approve it. It says nothing about the state of its entity:
 * while that does not count as active, it has no effect.
 * @throws RegistryError not_found, role_missing, four_eyes, illegal_transition, version_mismatch
 */
export async function transitionException(
  context: ChangeContext,
  exceptionId: string,
  transition: ExceptionTransition,
  reason: string,
  expectedVersion?: number,
): Promise<EntityException> {
  const { authorityId, organisationId, entityId, entityIdentifier } = await readException(
    context.db,
    context.actor,
    exceptionId,
  );
  authorise(context.actor, ACCESS[OPERATIONS[transition]].roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    if (transition === 'approve') await lockOpenEntity(tx, entityId);
    const [before] = await tx.select().from(entityExceptions).where(eq(entityExceptions.id, exceptionId)).for('update');
    if (before === undefined) throw notFound('exception', exceptionId);
    requireExceptionTransition(before, transition, context.now);
    requireVersion(before, expectedVersion);
    if (transition === 'approve') requireOtherPerson(before, context.actor);
    const approver = transition === 'approve' ? { approverId: context.actor.id, approverName: context.actor.name } : {};
    const after: ExceptionRow = {
      ...before,
      ...approver,
      state: EXCEPTION_TRANSITIONS[transition].to,
      stateReason: reason,
      stateChangedAt: context.now,
      version: before.version + 1,
    };
    await tx.update(entityExceptions).set(after).where(eq(entityExceptions.id, exceptionId));
    record({
      action: `entity_exception.${transition}`,
      authorityId,
      subjectKind: 'entity_exception',
      subjectId: exceptionId,
      before: exceptionSnapshot(before, entityIdentifier),
      after: exceptionSnapshot(after, entityIdentifier),
      reason,
    });
  });
  return readException(context.db, context.actor, exceptionId);
}

/** @throws RegistryError four_eyes */
function requireOtherPerson({ ownerId, requesterId }: ExceptionRow, { id }: Actor): void {
  if (id !== ownerId && id !== requesterId) return;
  const who = id === ownerId ? 'answers for it' : 'asked for it';
  throw new RegistryError('four_eyes', `whoever ${who} cannot approve an exception; somebody else has to`);
}
