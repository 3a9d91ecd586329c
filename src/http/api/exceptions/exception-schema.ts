/** Exceptions on the wire. */
import { z } from '@hono/zod-openapi';
import {
  allowedExceptionTransitions,
  type EntityException,
  EXCEPTION_KINDS,
  EXCEPTION_STATES,
  EXCEPTION_TRANSITION_NAMES,
  exceptionState,
  isInEffect,
  MAX_EXCEPTION_DAYS,
} from '../../../registry/exceptions/exception.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { ReasonSchema, TimeSchema } from '../text-schema.ts';

export const ExceptionKindSchema = z.enum(EXCEPTION_KINDS).openapi('ExceptionKind', {
  description:
    '`no_mtls`: it is admitted without a client certificate; `unbound_token`: with access tokens that are not bound to one.',
});

export const ExceptionStateSchema = z.enum(EXCEPTION_STATES).openapi('ExceptionState', {
  description: 'pending → approved or rejected; pending or approved → ended; `expired` by the clock at `endsAt`.',
});

const EndSchema = TimeSchema.openapi({
  description: `When it is over, by itself; at most ${MAX_EXCEPTION_DAYS} days after the request.`,
});

export const NewExceptionSchema = z
  .strictObject({
    kind: ExceptionKindSchema,
    reason: ReasonSchema,
    ownerId: RecordIdSchema.openapi({
      description: 'Id of the API token of whoever answers for it and sees to its end; neither its own approver.',
    }),
    endsAt: EndSchema,
  })
  .openapi('NewException');

const PersonSchema = z.object({
  id: z.string().openapi({ description: 'Of the API token.' }),
  name: z.string().openapi({ description: 'As it was at that time.', example: 'Jo, onboarding' }),
});

export const ExceptionSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema,
    entityId: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema,
    kind: ExceptionKindSchema,
    reason: z.string(),
    owner: PersonSchema,
    requester: PersonSchema,
    approver: PersonSchema.nullable(),
    state: ExceptionStateSchema,
    inEffect: z.boolean().openapi({
      description: 'Whether it lets its entity off now: never while that, or its organisation, is not active.',
    }),
    allowedTransitions: z.array(z.enum(EXCEPTION_TRANSITION_NAMES)).openapi({ example: ['end'] }),
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    endsAt: EndSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Exception');

export const ExceptionPageSchema = pageSchema('ExceptionPage', ExceptionSchema);

export function exceptionBody(exception: EntityException, now: Date): z.infer<typeof ExceptionSchema> {
  const { id, authorityId, organisationId, entityId, entityIdentifier, kind, reason, stateReason, version } = exception;
  const { approverId, approverName } = exception;
  return {
    ...{ id, authorityId, organisationId, entityId, entityIdentifier, kind, reason },
    owner: { id: exception.ownerId, name: exception.ownerName },
    requester: { id: exception.requesterId, name: exception.requesterName },
    approver: approverId === null || approverName === null ? null : { id: approverId, name: approverName },
    state: exceptionState(exception, now),
    inEffect: isInEffect(exception, now),
    allowedTransitions: allowedExceptionTransitions(exception, now),
    stateReason,
    stateChangedAt: exception.stateChangedAt.toISOString(),
    endsAt: exception.endsAt.toISOString(),
    version,
    createdAt: exception.createdAt.toISOString(),
  };
}
