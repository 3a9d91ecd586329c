/** Makes a code by which a machine without a token gets its first certificate. */
import { createRoute } from '@hono/zod-openapi';
import { makeCertificateCode } from '../../../registry/certification/certificate-codes.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { requireNoIdempotencyKey } from '../tokens/token-schema.ts';
import { CertificateCodeSchema, NewCertificateCodeSchema } from './certificate-request-schema.ts';

export const makeCertificateCodeOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/certificate-codes',
    operationId: 'makeCertificateCode',
    tags: ['Certificates'],
    summary: 'Make a code for a first certificate',
    description: [
      'Whoever has it asks over EST (`simpleenroll`) for one certificate of this entity with this profile, within 24 hours and without a token; the same request may be sent again until then. It ends with the token that made it. The answer holds it, once; so this request cannot be repeated with an `Idempotency-Key`.',
      'Made by whoever may approve requests (`admin`, `approver`) it is their approval, unless the authority asks for four eyes; what comes with other codes waits to be approved.',
      whoMayAsk('makeCertificateCode'),
    ].join('\n\n'),
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(NewCertificateCodeSchema) },
    responses: { 201: jsonReply('The code.', CertificateCodeSchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const code = await makeCertificateCode(context, c.req.valid('param').entityId, c.req.valid('json'));
      return c.json({ ...code, expiresAt: code.expiresAt.toISOString() }, 201);
    },
);
