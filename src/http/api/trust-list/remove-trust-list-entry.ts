/** Takes a certification authority off a trust list. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeTrustListEntry } from '../../../registry/trust-lists/remove-trust-list-entry.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const removeTrustListEntryOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/trust-list/{trustListEntryId}',
    operationId: 'removeTrustListEntry',
    tags: ['Trust list'],
    summary: 'Take an authority off the trust list',
    description: `Where the purpose is among the authority's \`listedPurposes\`, what leads to this entry is denied at once; what another entry vouches for as well counts again within a minute. ${whoMayAsk('removeTrustListEntry')}`,
    security: BEARER,
    request: { params: recordIdParam('trustListEntryId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is gone.' }, ...problems(400, 404, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      await removeTrustListEntry(
        context,
        c.req.valid('param').trustListEntryId,
        expectedVersion(c.req.valid('header')),
      );
      return c.body(null, 204);
    },
);
