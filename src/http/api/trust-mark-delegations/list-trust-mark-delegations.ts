/** Lists the delegations that we gave. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTrustMarkDelegations } from '../../../registry/trust-marks/trust-mark-delegation.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { IdentifierFilterSchema, RecordIdSchema } from '../record-schema.ts';
import { TrustMarkDelegationPageSchema, trustMarkDelegationBody } from './trust-mark-delegation-schema.ts';

export const listTrustMarkDelegationsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-mark-delegations',
    operationId: 'listTrustMarkDelegations',
    tags: ['Trust Marks'],
    summary: 'List delegations that we gave',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listTrustMarkDelegations')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        issuer: IdentifierFilterSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of delegations.', TrustMarkDelegationPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listTrustMarkDelegations(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(trustMarkDelegationBody), ...rest }, 200);
    },
);
