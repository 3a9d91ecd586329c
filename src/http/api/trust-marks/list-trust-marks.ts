/** Lists Trust Marks. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTrustMarks } from '../../../registry/trust-marks/trust-mark.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { IdentifierFilterSchema, RecordIdSchema } from '../record-schema.ts';
import { TrustMarkPageSchema, TrustMarkStateSchema, trustMarkBody } from './trust-mark-schema.ts';

export const listTrustMarksOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-marks',
    operationId: 'listTrustMarks',
    tags: ['Trust Marks'],
    summary: 'List Trust Marks',
    description: `Those of the authorities that the token reaches, whatever their state, oldest first. ${whoMayAsk('listTrustMarks')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        typeId: RecordIdSchema.optional(),
        subject: IdentifierFilterSchema.optional(),
        entityId: RecordIdSchema.optional(),
        state: TrustMarkStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of marks.', TrustMarkPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listTrustMarks(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(trustMarkBody), ...rest }, 200);
    },
);
