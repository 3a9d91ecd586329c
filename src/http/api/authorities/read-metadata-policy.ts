/** Reads the default metadata policy of an authority. */
import { createRoute } from '@hono/zod-openapi';
import { readAuthority } from '../../../registry/authorities/read-authority.ts';
import { MetadataPolicySchema } from '../claims-schema.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const readMetadataPolicyOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorities/{authorityId}/metadata-policy',
    operationId: 'readMetadataPolicy',
    tags: ['Authorities'],
    summary: 'Read the default metadata policy',
    description: `The policy by Entity Type that goes into every Subordinate Statement. ${whoMayAsk('readMetadataPolicy')}`,
    security: BEARER,
    request: { params: recordIdParam('authorityId') },
    responses: { 200: jsonReply('The policy.', MetadataPolicySchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const authority = await readAuthority(db, c.get('actor'), c.req.valid('param').authorityId);
      return c.json(authority.defaultMetadataPolicy, 200, { ETag: entityTag(authority) });
    },
);
