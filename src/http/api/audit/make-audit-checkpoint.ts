/** Signs a checkpoint of the audit. */
import { createRoute, z } from '@hono/zod-openapi';
import { makeAuditCheckpoint } from '../../../registry/audit/audit-checkpoint.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { AuditCheckpointSchema, auditCheckpointBody } from './audit-schema.ts';

const NewAuditCheckpointSchema = z
  .strictObject({ authorityId: RecordIdSchema.openapi({ description: 'Who is to sign it.' }) })
  .openapi('NewAuditCheckpoint');

export const makeAuditCheckpointOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/audit/checkpoints',
    operationId: 'makeAuditCheckpoint',
    tags: ['Audit'],
    summary: 'Sign a checkpoint of the audit',
    description: `An authority signs what the trail is now. Whoever keeps the JWT elsewhere can tell ever after whether the trail was rewritten or cut (\`holdfast audit verify --checkpoint\`). Asked again before anything happened, it is the same. ${whoMayAsk('makeAuditCheckpoint')}`,
    security: BEARER,
    request: { body: jsonBody(NewAuditCheckpointSchema) },
    responses: { 201: jsonReply('The checkpoint.', AuditCheckpointSchema), ...bodyProblems(404) },
  }),
  ({ changeContext, signAuditCheckpoint }) =>
    async (c) => {
      const { authorityId } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const checkpoint = await makeAuditCheckpoint(context, authorityId, signAuditCheckpoint);
      return c.json(auditCheckpointBody(checkpoint), 201);
    },
);
