/** Lists what somebody should look at. */
import { createRoute, z } from '@hono/zod-openapi';
import { ALL_FINDING_KINDS, isFindingCursor, listFindings } from '../../../registry/life-cycle/list-findings.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const FindingKindSchema = z.enum(ALL_FINDING_KINDS).openapi('FindingKind', { example: 'contact_stale' });

const FindingSchema = z
  .object({
    id: RecordIdSchema,
    kind: FindingKindSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema,
    organisation: z.string().openapi({ description: 'Its legal name.', example: 'Example Bank Ltd' }),
    subjectKind: z.string().openapi({ example: 'contact' }),
    subjectId: RecordIdSchema,
    subjectName: z.string().openapi({ description: 'What people know it by.', example: 'duty@bank.example' }),
    detail: z.string().openapi({ description: 'What was noticed, and what to do about it.' }),
    since: TimeSchema,
  })
  .openapi('Finding');

const FindingPageSchema = pageSchema('FindingPage', FindingSchema);

export const listFindingsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/findings',
    operationId: 'listFindings',
    tags: ['Findings'],
    summary: 'List findings',
    description: `What was noticed and not decided, the longest standing first; gone when it is cured. An hourly job looks for contacts, certifications and terms that lapsed and for orphans, a daily one at the configurations that were taken in last. ${whoMayAsk('listFindings')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        kind: FindingKindSchema.optional(),
        ...pageParameters(isFindingCursor),
      }),
    },
    responses: { 200: jsonReply('A page of findings.', FindingPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listFindings(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map((item) => ({ ...item, since: item.since.toISOString() })), ...rest }, 200);
    },
);
