/** Approves, rejects or ends an exception: an operation for each. */
import { createRoute, z } from '@hono/zod-openapi';
import { EXCEPTION_TRANSITION_NAMES, type ExceptionTransition } from '../../../registry/exceptions/exception.ts';
import { transitionException } from '../../../registry/exceptions/transition-exception.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH, REQUIRED_IF_MATCH, seenVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { ExceptionSchema, exceptionBody } from './exception-schema.ts';

const EFFECTS: Readonly<Record<ExceptionTransition, string>> = {
  approve:
    'It lets its entity off from now on, while that is active; whoever asked or answers for it cannot approve it (`four_eyes`).',
  reject: 'Final.',
  end: 'Final: it is over before its time.',
};

export const transitionExceptionOperations: readonly Operation[] = EXCEPTION_TRANSITION_NAMES.map(transitionOperation);

function transitionOperation(transition: ExceptionTransition): Operation {
  const needsVersion = transition === 'approve';
  const operationId = `${transition}Exception` as const;
  const route = createRoute({
    method: 'post',
    path: `/api/v1/exceptions/{exceptionId}/${transition}`,
    operationId,
    tags: ['Exceptions'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} an exception`,
    description: `${EFFECTS[transition]} ${whoMayAsk(operationId)}`,
    security: BEARER,
    request: {
      params: recordIdParam('exceptionId'),
      headers: z.object(needsVersion ? REQUIRED_IF_MATCH : OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The exception as it is now.', ExceptionSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, ...(needsVersion ? [428 as const] : [])),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const headers = c.req.valid('header');
    const exception = await transitionException(
      context,
      c.req.valid('param').exceptionId,
      transition,
      c.req.valid('json').reason,
      needsVersion ? seenVersion(headers) : expectedVersion(headers),
    );
    return c.json(exceptionBody(exception, context.now), 200, { ETag: entityTag(exception) });
  });
}
