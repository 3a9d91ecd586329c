/** Lists the Trust Marks that our authorities show. */
import { createRoute, z } from '@hono/zod-openapi';
import { listHeldTrustMarks } from '../../../registry/trust-marks/held-trust-mark.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { HeldTrustMarksSchema, heldTrustMarkBody } from './held-trust-mark-schema.ts';

export const listHeldTrustMarksOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/held-trust-marks',
    operationId: 'listHeldTrustMarks',
    tags: ['Trust Marks'],
    summary: 'List Trust Marks that our authorities show',
    description: `With the trouble that there was in refreshing them, if any. ${whoMayAsk('listHeldTrustMarks')}`,
    security: BEARER,
    request: { query: z.strictObject({ authorityId: RecordIdSchema.optional() }) },
    responses: { 200: jsonReply('The marks.', HeldTrustMarksSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const held = await listHeldTrustMarks(db, c.get('actor'), c.req.valid('query').authorityId);
      return c.json({ items: held.map(heldTrustMarkBody) }, 200);
    },
);
