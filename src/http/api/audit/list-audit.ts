/** Lists the audit trail. */
import { createRoute, z } from '@hono/zod-openapi';
import { type AuditRow, listAudit } from '../../../registry/audit/list-audit.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { AuditEntrySchema } from './audit-schema.ts';

/** seq and ordinal of the last entry of a page. */
const CURSOR = /^\d{1,15}\.\d{1,9}$/;

const SubjectKindSchema = z
  .string()
  .regex(/^[a-z_]{1,50}$/, 'is a kind of record, such as entity')
  .openapi({ example: 'entity' });

const SubjectIdSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'is the id of a record or the kid of a key')
  .openapi({ example: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f' });

export const listAuditOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/audit',
    operationId: 'listAudit',
    tags: ['Audit'],
    summary: 'Read the audit trail',
    description: `Who changed what, when and why, in the order of the changes. A token of some authorities sees what happened in these. ${whoMayAsk('listAudit')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        subjectKind: SubjectKindSchema.optional(),
        subjectId: SubjectIdSchema.optional(),
        ...pageParameters((text) => CURSOR.test(text)),
      }),
    },
    responses: {
      200: jsonReply('A page of the trail.', pageSchema('AuditPage', AuditEntrySchema)),
      ...problems(400, 404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listAudit(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(auditEntryBody), ...rest }, 200);
    },
);

function auditEntryBody({ at, ...row }: AuditRow): z.infer<typeof AuditEntrySchema> {
  return { ...row, at: at.toISOString() };
}
