/** Lists what was answered to those who asked for admission. */
import { createRoute, z } from '@hono/zod-openapi';
import { DENY_REASON_NAMES } from '../../../admission/deny-reasons.ts';
import { type DecisionRow, isDecisionCursor, listDecisions } from '../../../registry/decisions/list-decisions.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const DigestSchema = z.string().openapi({ example: 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' });
const WordSchema = z.enum(['allow', 'deny']);

const DecisionSchema = z
  .object({
    chain: RecordIdSchema.openapi({ description: 'Of one run of a node.' }),
    ordinal: z.int().openapi({ description: 'Position in the chain, from 0.', example: 17 }),
    decidedAt: TimeSchema.openapi({ description: 'The first of them.' }),
    count: z.int().openapi({ description: 'Equal ones of about a second are one entry.', example: 1 }),
    authorityId: RecordIdSchema,
    enforcementPointId: RecordIdSchema,
    decision: WordSchema,
    reasons: z.array(z.string()).openapi({ description: 'Why not; empty if allowed.', example: ['suspended'] }),
    entityId: RecordIdSchema.nullable().openapi({ description: 'Whose certificate it is; null: nobody knows.' }),
    organisationId: RecordIdSchema.nullable(),
    apiId: RecordIdSchema.nullable(),
    onBehalfOf: RecordIdSchema.nullable().openapi({ description: 'An organisation.' }),
    certificateSha256: DigestSchema.nullable().openapi({
      description: '`x5t#S256` of the certificate; null: none, or too many different ones within a second.',
    }),
    tokenSha256: DigestSchema.nullable().openapi({ description: 'SHA-256 of the access token, base64url.' }),
    seq: z.int().openapi({ description: 'What the node knew.', example: 42 }),
    hash: DigestSchema.openapi({ description: 'Over the entry and the hash of the one before it in its chain.' }),
  })
  .openapi('LoggedDecision');

const MomentSchema = TimeSchema.transform((text) => new Date(text)).openapi({ type: 'string', format: 'date-time' });

export const listDecisionsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/decisions',
    operationId: 'listDecisions',
    tags: ['Admission'],
    summary: 'List decisions',
    description: `Every deny, and of the allows as many as the enforcement point's \`allowSample\` says, the latest first. Ids and hashes only: of tokens and certificates nothing is kept. Entries appear after about a second. Members see those of their own. ${whoMayAsk('listDecisions')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityId: RecordIdSchema.optional(),
        enforcementPointId: RecordIdSchema.optional(),
        decision: WordSchema.optional(),
        reason: z.enum(DENY_REASON_NAMES).optional(),
        from: MomentSchema.optional(),
        to: MomentSchema.optional().openapi({ description: 'Those before.' }),
        ...pageParameters(isDecisionCursor),
      }),
    },
    responses: {
      200: jsonReply('A page of decisions.', pageSchema('LoggedDecisionPage', DecisionSchema)),
      ...problems(400, 404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listDecisions(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(decisionBody), ...rest }, 200);
    },
);

function decisionBody({ decidedAt, ...row }: DecisionRow): z.infer<typeof DecisionSchema> {
  return { ...row, decidedAt: decidedAt.toISOString() };
}
