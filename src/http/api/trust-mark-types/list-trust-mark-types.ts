/** Lists Trust Mark types. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTrustMarkTypes } from '../../../registry/trust-marks/trust-mark-type.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TrustMarkTypeNameSchema, TrustMarkTypePageSchema, trustMarkTypeBody } from './trust-mark-type-schema.ts';

export const listTrustMarkTypesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-mark-types',
    operationId: 'listTrustMarkTypes',
    tags: ['Trust Marks'],
    summary: 'List Trust Mark types',
    description: `Those of the authorities that the token reaches, retired ones too, oldest first. ${whoMayAsk('listTrustMarkTypes')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        trustMarkType: TrustMarkTypeNameSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of types.', TrustMarkTypePageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listTrustMarkTypes(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(trustMarkTypeBody), ...rest }, 200);
    },
);
