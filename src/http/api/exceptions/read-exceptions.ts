/** Reads exceptions, one or many. */
import { createRoute, z } from '@hono/zod-openapi';
import { listExceptions, readException } from '../../../registry/exceptions/read-exception.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  ExceptionKindSchema,
  ExceptionPageSchema,
  ExceptionSchema,
  ExceptionStateSchema,
  exceptionBody,
} from './exception-schema.ts';

export const listExceptionsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/exceptions',
    operationId: 'listExceptions',
    tags: ['Exceptions'],
    summary: 'List exceptions',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listExceptions')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityId: RecordIdSchema.optional(),
        kind: ExceptionKindSchema.optional(),
        state: ExceptionStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of exceptions.', ExceptionPageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listExceptions(db, actor, filter, { limit, cursor }, now);
      return c.json({ items: items.map((exception) => exceptionBody(exception, now)), ...rest }, 200);
    },
);

export const readExceptionOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/exceptions/{exceptionId}',
    operationId: 'readException',
    tags: ['Exceptions'],
    summary: 'Read an exception',
    description: whoMayAsk('readException'),
    security: BEARER,
    request: { params: recordIdParam('exceptionId') },
    responses: { 200: jsonReply('The exception.', ExceptionSchema, ['ETag']), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const exception = await readException(db, actor, c.req.valid('param').exceptionId);
      return c.json(exceptionBody(exception, now), 200, { ETag: entityTag(exception) });
    },
);
