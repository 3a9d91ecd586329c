/** Puts a certification authority on a trust list. */
import { createRoute, z } from '@hono/zod-openapi';
import { addTrustListEntry } from '../../../registry/trust-lists/add-trust-list-entry.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { NewTrustListEntrySchema, TrustListEntrySchema, trustListEntryBody } from './trust-list-schema.ts';

export const addTrustListEntryOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-list',
    operationId: 'addTrustListEntry',
    tags: ['Trust list'],
    summary: 'Put an authority on the trust list',
    description: [
      "Certificates below it have a path from then on: new ones at once, those on record within a minute. Whether others count is for the authority's `listedPurposes` to say.",
      'What is wrong with the certificate is said by `reason`, such as `usage_unsuitable`, `weak_key`, `algorithm_unsupported`, `certificate_expired`. On the list already: `trust_list_entry_exists`.',
      whoMayAsk('addTrustListEntry'),
    ].join('\n\n'),
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewTrustListEntrySchema) },
    responses: {
      201: jsonReply('The entry.', TrustListEntrySchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { authorityId, ...input } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const entry = await addTrustListEntry(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        input,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(entry), Location: `/api/v1/trust-list/${entry.id}` };
      return c.json(trustListEntryBody(entry), 201, headers);
    },
);
