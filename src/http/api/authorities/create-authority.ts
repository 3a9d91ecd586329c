/** Makes an authority. */
import { createRoute, z } from '@hono/zod-openapi';
import { createAuthority } from '../../../registry/authorities/create-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { AuthoritySchema, authorityBody, NewAuthoritySchema } from './authority-schema.ts';

export const createAuthorityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/authorities',
    operationId: 'createAuthority',
    tags: ['Authorities'],
    summary: 'Make an authority',
    description: `A Trust Anchor, or with \`authorityHints\` an Intermediate. Its first Federation Entity Key is made with it, and its endpoints answer at once. ${whoMayAsk('createAuthority')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewAuthoritySchema) },
    responses: {
      201: jsonReply('The authority.', AuthoritySchema, ['ETag', 'Location']),
      ...bodyProblems(409, 422),
    },
  }),
  ({ changeContext, generateAuthorityKey }) =>
    async (c) => {
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const authority = await createAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('json'),
        generateAuthorityKey,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(authority), Location: `/api/v1/authorities/${authority.id}` };
      return c.json(authorityBody(authority), 201, headers);
    },
);
