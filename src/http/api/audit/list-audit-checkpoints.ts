/** Lists the checkpoints of the audit. */
import { createRoute, z } from '@hono/zod-openapi';
import { isCheckpointCursor, listAuditCheckpoints } from '../../../registry/audit/audit-checkpoint.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { AuditCheckpointSchema, auditCheckpointBody } from './audit-schema.ts';

export const listAuditCheckpointsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/audit/checkpoints',
    operationId: 'listAuditCheckpoints',
    tags: ['Audit'],
    summary: 'List the checkpoints of the audit',
    description: `Those that were asked for and those that are made by themselves, in the order of the changes. A token of some authorities sees what these signed. ${whoMayAsk('listAuditCheckpoints')}`,
    security: BEARER,
    request: {
      query: z.strictObject({ authorityId: RecordIdSchema.optional(), ...pageParameters(isCheckpointCursor) }),
    },
    responses: {
      200: jsonReply('A page of checkpoints.', pageSchema('AuditCheckpointPage', AuditCheckpointSchema)),
      ...problems(400, 404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listAuditCheckpoints(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(auditCheckpointBody), ...rest }, 200);
    },
);
