/** Replaces the pinned keys of a Trust Anchor of others. */
import { createRoute, z } from '@hono/zod-openapi';
import { replaceTrustAnchorKeys } from '../../../registry/trust-anchors/replace-trust-anchor-keys.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustAnchorKeysSchema, TrustAnchorSchema, trustAnchorBody } from './trust-anchor-schema.ts';

export const replaceTrustAnchorKeysOperation = defineOperation(
  createRoute({
    method: 'put',
    path: '/api/v1/trust-anchors/{trustAnchorId}',
    operationId: 'replaceTrustAnchorKeys',
    tags: ['Trust Anchors'],
    summary: 'Replace the pinned keys',
    description: `Compare the new keys out of band first. Nothing that was learned or raised an alarm before counts any more. ${whoMayAsk('replaceTrustAnchorKeys')}`,
    security: BEARER,
    request: {
      params: recordIdParam('trustAnchorId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TrustAnchorKeysSchema),
    },
    responses: {
      200: jsonReply('The Trust Anchor as it is now.', TrustAnchorSchema, ['ETag']),
      ...bodyProblems(404, 412, 428),
    },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const anchor = await replaceTrustAnchorKeys(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').trustAnchorId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(await trustAnchorBody(db, anchor), 200, { ETag: entityTag(anchor) });
    },
);
