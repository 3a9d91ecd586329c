/** Reads a Trust Mark type. */
import { createRoute } from '@hono/zod-openapi';
import { readTrustMarkType } from '../../../registry/trust-marks/trust-mark-type.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustMarkTypeSchema, trustMarkTypeBody } from './trust-mark-type-schema.ts';

export const readTrustMarkTypeOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-mark-types/{typeId}',
    operationId: 'readTrustMarkType',
    tags: ['Trust Marks'],
    summary: 'Read a Trust Mark type',
    description: `What its marks say, how long they live, who may get one. ${whoMayAsk('readTrustMarkType')}`,
    security: BEARER,
    request: { params: recordIdParam('typeId') },
    responses: { 200: jsonReply('The type.', TrustMarkTypeSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const type = await readTrustMarkType(db, c.get('actor'), c.req.valid('param').typeId);
      return c.json(trustMarkTypeBody(type), 200, { ETag: entityTag(type) });
    },
);
