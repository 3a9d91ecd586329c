/** Reads a pinned Trust Anchor of others. */
import { createRoute } from '@hono/zod-openapi';
import { readTrustAnchor } from '../../../registry/trust-anchors/trust-anchor.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustAnchorSchema, trustAnchorBody } from './trust-anchor-schema.ts';

export const readTrustAnchorOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-anchors/{trustAnchorId}',
    operationId: 'readTrustAnchor',
    tags: ['Trust Anchors'],
    summary: 'Read a pinned Trust Anchor',
    description: `Its identifier, the keys pinned for it, and what was seen of its keys since. ${whoMayAsk('readTrustAnchor')}`,
    security: BEARER,
    request: { params: recordIdParam('trustAnchorId') },
    responses: { 200: jsonReply('The Trust Anchor.', TrustAnchorSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const anchor = await readTrustAnchor(db, c.get('actor'), c.req.valid('param').trustAnchorId);
      return c.json(await trustAnchorBody(db, anchor), 200, { ETag: entityTag(anchor) });
    },
);
