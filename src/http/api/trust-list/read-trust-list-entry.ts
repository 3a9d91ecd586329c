/** Reads an entry of a trust list. */
import { createRoute } from '@hono/zod-openapi';
import { readTrustListEntry } from '../../../registry/trust-lists/trust-list-entry.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustListEntrySchema, trustListEntryBody } from './trust-list-schema.ts';

export const readTrustListEntryOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-list/{trustListEntryId}',
    operationId: 'readTrustListEntry',
    tags: ['Trust list'],
    summary: 'Read an entry of the trust list',
    description: whoMayAsk('readTrustListEntry'),
    security: BEARER,
    request: { params: recordIdParam('trustListEntryId') },
    responses: { 200: jsonReply('The entry.', TrustListEntrySchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const entry = await readTrustListEntry(db, c.get('actor'), c.req.valid('param').trustListEntryId);
      return c.json(trustListEntryBody(entry), 200, { ETag: entityTag(entry) });
    },
);
