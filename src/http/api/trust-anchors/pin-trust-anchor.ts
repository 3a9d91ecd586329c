/** Pins a Trust Anchor of others. */
import { createRoute, z } from '@hono/zod-openapi';
import { pinTrustAnchor } from '../../../registry/trust-anchors/pin-trust-anchor.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { NewTrustAnchorSchema, TrustAnchorSchema, trustAnchorBody } from './trust-anchor-schema.ts';

export const pinTrustAnchorOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-anchors',
    operationId: 'pinTrustAnchor',
    tags: ['Trust Anchors'],
    summary: 'Pin a Trust Anchor of others',
    description: `The authority resolves towards it from now on, with these keys only. ${whoMayAsk('pinTrustAnchor')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewTrustAnchorSchema) },
    responses: {
      201: jsonReply('The pinned Trust Anchor.', TrustAnchorSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { authorityId, ...input } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const anchor = await pinTrustAnchor(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        input,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(anchor), Location: `/api/v1/trust-anchors/${anchor.id}` };
      return c.json(await trustAnchorBody(db, anchor), 201, headers);
    },
);
