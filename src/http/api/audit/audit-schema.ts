/** Schemas of what the API says about the audit. */
import { z } from '@hono/zod-openapi';
import type { AuditCheckpoint } from '../../../registry/audit/audit-checkpoint.ts';
import { claims, nullableClaims } from '../claims-schema.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const EXAMPLE_HASH = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';

export const AuditEntrySchema = z
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
    hash: z.string().openapi({
      description:
        'SHA-256 in base64url over the hash of the entry before, a line feed, and all other members as canonical JSON (RFC 8785).',
      example: EXAMPLE_HASH,
    }),
  })
  .openapi('AuditEntry');

export const AuditCheckpointSchema = z
  .object({
    authorityId: RecordIdSchema.openapi({ description: 'Who signed it.' }),
    seq: z.int().openapi({ description: 'Number of the last change at that moment.', example: 42 }),
    hash: z.string().openapi({ description: 'Of the last entry of that change.', example: EXAMPLE_HASH }),
    rows: z.int().openapi({ description: 'Number of entries up to there.', example: 57 }),
    jwt: z.string().openapi({
      description:
        'The same as claims `seq`, `hash` and `rows` with `iss` and `iat`, `typ` `audit-checkpoint+jwt`, signed by the authority.',
    }),
    createdAt: TimeSchema,
  })
  .openapi('AuditCheckpoint');

export function auditCheckpointBody({ createdAt, ...rest }: AuditCheckpoint): z.infer<typeof AuditCheckpointSchema> {
  return { ...rest, createdAt: createdAt.toISOString() };
}
