/** Asks for an exception for a legacy partner. */
import { createRoute, z } from '@hono/zod-openapi';
import { requestException } from '../../../registry/exceptions/request-exception.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { ExceptionSchema, exceptionBody, NewExceptionSchema } from './exception-schema.ts';

export const requestExceptionOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/exceptions',
    operationId: 'requestException',
    tags: ['Exceptions'],
    summary: 'Ask for an exception',
    description: `For a partner that cannot meet a requirement yet. It has no effect before somebody approves it who neither asked nor answers for it. ${whoMayAsk('requestException')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(IDEMPOTENCY_KEY),
      body: jsonBody(NewExceptionSchema),
    },
    responses: {
      201: jsonReply('The exception.', ExceptionSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { endsAt, ...fields } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const exception = await requestException(
        context,
        c.req.valid('param').entityId,
        { ...fields, endsAt: new Date(endsAt) },
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(exception), Location: `/api/v1/exceptions/${exception.id}` };
      return c.json(exceptionBody(exception, context.now), 201, headers);
    },
);
