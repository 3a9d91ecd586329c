/** Reads a Trust Mark. */
import { createRoute } from '@hono/zod-openapi';
import { readTrustMark } from '../../../registry/trust-marks/trust-mark.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustMarkSchema, trustMarkBody } from './trust-mark-schema.ts';

export const readTrustMarkOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-marks/{trustMarkId}',
    operationId: 'readTrustMark',
    tags: ['Trust Marks'],
    summary: 'Read a Trust Mark',
    description: `The grant and its state; the signed mark is at the Trust Mark endpoint of the authority. ${whoMayAsk('readTrustMark')}`,
    security: BEARER,
    request: { params: recordIdParam('trustMarkId') },
    responses: { 200: jsonReply('The mark.', TrustMarkSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const mark = await readTrustMark(db, c.get('actor'), c.req.valid('param').trustMarkId);
      return c.json(trustMarkBody(mark), 200, { ETag: entityTag(mark) });
    },
);
