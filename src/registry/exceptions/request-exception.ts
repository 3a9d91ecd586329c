/** Asks for an exception; it lets nobody off before somebody else approves it. */
import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiTokens } from '../../storage/schema/api-tokens.ts';
import { type ExceptionKind, entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { readEntity } from '../entities/read-entity.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';
import { type EntityException, type ExceptionRow, exceptionSnapshot, MAX_EXCEPTION_DAYS } from './exception.ts';
import { readException } from './read-exception.ts';

export interface NewException {
  kind: ExceptionKind;
  /** Why the partner cannot do without, and what is done about it. */
  reason: string;
  /** Id of the token of whoever answers for it. */
  ownerId: string;
  endsAt: Date;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed when the end is not within a year or nobody in
 *   reach of the authority has the owner's token, illegal_transition when the entity's record is closed,
 *   idempotency_key_reused
 */
export async function requestException(
  context: ChangeContext,
  entityId: string,
  { kind, reason, ownerId, endsAt }: NewException,
  idempotency?: Idempotency,
): Promise<EntityException> {
  const { authorityId, organisationId, entityIdentifier } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.requestException.roles, authorityId, organisationId, entityId);
  requireBoundedEnd(endsAt, context.now);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (exceptionId) => {
      await lockOpenEntity(tx, entityId);
      const { actor, now } = context;
      const exception: ExceptionRow = {
        ...{ id: exceptionId, authorityId, entityId, kind, reason, endsAt },
        ...{ ownerId, ownerName: await ownerName(tx, ownerId, authorityId, now) },
        ...{ requesterId: actor.id, requesterName: actor.name },
        ...{ state: 'pending', stateReason: null, stateChangedAt: now, approverId: null, approverName: null },
        ...{ version: 1, createdAt: now },
      };
      await tx.insert(entityExceptions).values(exception);
      record({
        action: 'entity_exception.request',
        authorityId,
        subjectKind: 'entity_exception',
        subjectId: exceptionId,
        after: exceptionSnapshot(exception, entityIdentifier),
        reason,
      });
    });
  });
  return readException(context.db, context.actor, id);
}

function requireBoundedEnd(endsAt: Date, now: Date): void {
  if (endsAt <= now) throw invalidField('/endsAt', 'is not in the future');
  const latest = new Date(now.getTime() + MAX_EXCEPTION_DAYS * 86_400_000);
  if (endsAt > latest) throw invalidField('/endsAt', `is more than ${MAX_EXCEPTION_DAYS} days away`);
}

/** Of staff that reaches the authority, with a token that counts. */
async function ownerName(tx: Tx, ownerId: string, authorityId: string, now: Date): Promise<string> {
  const [owner] = isRecordId(ownerId)
    ? await tx
        .select({
          name: apiTokens.name,
          authorityIds: apiTokens.authorityIds,
          organisationIds: apiTokens.organisationIds,
        })
        .from(apiTokens)
        .where(and(eq(apiTokens.id, ownerId), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, now)))
    : [];
  const isHere = owner?.authorityIds === null || owner?.authorityIds.includes(authorityId) === true;
  if (owner !== undefined && isHere && owner.organisationIds === null) return owner.name;
  throw invalidField('/ownerId', 'is no token in use of somebody who works for this authority');
}
