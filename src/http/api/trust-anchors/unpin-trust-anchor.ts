/** Takes a Trust Anchor of others out of an authority's trust. */
import { createRoute, z } from '@hono/zod-openapi';
import { unpinTrustAnchor } from '../../../registry/trust-anchors/unpin-trust-anchor.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const unpinTrustAnchorOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/trust-anchors/{trustAnchorId}',
    operationId: 'unpinTrustAnchor',
    tags: ['Trust Anchors'],
    summary: 'Unpin a Trust Anchor',
    description: `Nothing is resolved towards it any more. ${whoMayAsk('unpinTrustAnchor')}`,
    security: BEARER,
    request: { params: recordIdParam('trustAnchorId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is gone.' }, ...problems(400, 404, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      await unpinTrustAnchor(context, c.req.valid('param').trustAnchorId, expectedVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
