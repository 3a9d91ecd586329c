/** Lists enforcement points. */
import { createRoute, z } from '@hono/zod-openapi';
import { listEnforcementPoints } from '../../../registry/enforcement-points/read-enforcement-point.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { NameSchema } from '../text-schema.ts';
import {
  EnforcementPointPageSchema,
  EnforcementPointStateSchema,
  enforcementPointBody,
} from './enforcement-point-schema.ts';

export const listEnforcementPointsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/enforcement-points',
    operationId: 'listEnforcementPoints',
    tags: ['Admission'],
    summary: 'List enforcement points',
    description: `Those of the authorities that the token reaches, oldest first; removed ones only with \`state=removed\`. ${whoMayAsk('listEnforcementPoints')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        name: NameSchema.optional(),
        state: EnforcementPointStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: {
      200: jsonReply('A page of enforcement points.', EnforcementPointPageSchema),
      ...problems(400, 404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listEnforcementPoints(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(enforcementPointBody), ...rest }, 200);
    },
);
