/** Lists the certification authorities that our authorities believe. */
import { createRoute, z } from '@hono/zod-openapi';
import { readTrustListCoverage } from '../../../registry/trust-lists/trust-list-coverage.ts';
import { listTrustListEntries } from '../../../registry/trust-lists/trust-list-entry.ts';
import { FingerprintSchema } from '../credentials/credential-schema.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { coverageBody, TrustListPageSchema, TrustListPurposeSchema, trustListEntryBody } from './trust-list-schema.ts';

export const listTrustListEntriesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-list',
    operationId: 'listTrustListEntries',
    tags: ['Trust list'],
    summary: 'List the trust list',
    description: `Entries of the authorities that the token reaches, oldest first, and how many credentials lead to them. ${whoMayAsk('listTrustListEntries')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        purpose: TrustListPurposeSchema.optional(),
        x5tS256: FingerprintSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of entries.', TrustListPageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const actor = c.get('actor');
      const { items, ...rest } = await listTrustListEntries(db, actor, filter, { limit, cursor });
      const page = { items: items.map(trustListEntryBody), ...rest };
      if (cursor !== undefined) return c.json(page, 200);
      const { now } = changeContext(actor, c.get('requestId'));
      const coverage = await readTrustListCoverage(db, actor, filter, now);
      return c.json({ ...page, coverage: coverageBody(coverage) }, 200);
    },
);
