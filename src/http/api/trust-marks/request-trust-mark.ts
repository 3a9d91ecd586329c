/** Records that somebody asks for a Trust Mark. */
import { createRoute } from '@hono/zod-openapi';
import { requestTrustMark } from '../../../registry/trust-marks/request-trust-mark.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { TrustMarkRequestSchema, TrustMarkSchema, trustMarkBody } from './trust-mark-schema.ts';

export const requestTrustMarkOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-mark-requests',
    operationId: 'requestTrustMark',
    tags: ['Trust Marks'],
    summary: 'Ask for a Trust Mark',
    description: `In place of an entity that cannot do so itself (at \`/federation/trust-mark-request\` of the authority). Where the type approves by itself the mark is active at once, unless one was taken from the subject before; else an approver decides. Asked twice, it is the same mark. ${whoMayAsk('requestTrustMark')}`,
    security: BEARER,
    request: { body: jsonBody(TrustMarkRequestSchema) },
    responses: {
      200: jsonReply('The mark, pending or active.', TrustMarkSchema, ['ETag']),
      ...bodyProblems(404, 409),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const mark = await requestTrustMark(context, c.req.valid('json'));
      return c.json(trustMarkBody(mark), 200, { ETag: entityTag(mark) });
    },
);
