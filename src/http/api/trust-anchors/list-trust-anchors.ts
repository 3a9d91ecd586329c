/** Lists the pinned Trust Anchors of others. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTrustAnchors } from '../../../registry/trust-anchors/trust-anchor.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TrustAnchorPageSchema, trustAnchorBodies } from './trust-anchor-schema.ts';

export const listTrustAnchorsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-anchors',
    operationId: 'listTrustAnchors',
    tags: ['Trust Anchors'],
    summary: 'List pinned Trust Anchors of others',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listTrustAnchors')}`,
    security: BEARER,
    request: { query: z.strictObject({ authorityId: RecordIdSchema.optional(), ...PAGE_PARAMETERS }) },
    responses: { 200: jsonReply('A page of Trust Anchors.', TrustAnchorPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listTrustAnchors(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: await trustAnchorBodies(db, items), ...rest }, 200);
    },
);
