/** Lists the audit trail. */
import { createRoute, z } from '@hono/zod-openapi';
import { type AuditRow, listAudit } from '../../../registry/list-audit.ts';
import { claims, nullableClaims } from '../claims-schema.ts';
import { BEARER, jsonReply, needsRole, problems } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

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

const AuditEntrySchema = z
  .object({
    seq: z.int().openapi({ description: 'Number of the change; there are no gaps.', example: 42 }),
    ordinal: z.int().openapi({ description: 'Position within the change, from 0.', example: 0 }),
    at: TimeSchema,
    actor: claims('Who did it.', { kind: 'token', id: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f', name: 'approver' }),
    action: z.string().openapi({ example: 'entity.suspend' }),
    authorityId: RecordIdSchema.nullable().openapi({ description: 'null: the whole deployment.' }),
    subjectKind: z.string().openapi({ example: 'entity' }),
    subjectId: z.string(),
    before: nullableClaims('The record before.', { state: 'active' }),
    after: nullableClaims('The record after.', { state: 'suspended' }),
    reason: z.string().nullable(),
    requestId: z.string().nullable(),
  })
  .openapi('AuditEntry');

export const listAuditOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/audit',
    operationId: 'listAudit',
    tags: ['Audit'],
    summary: 'Read the audit trail',
    description: `Who changed what, when and why, in the order of the changes. A token of some authorities sees what happened in these. ${needsRole(['admin', 'auditor'])}`,
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
