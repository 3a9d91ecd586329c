/** Asks for a certificate for an entity. */
import { createRoute, z } from '@hono/zod-openapi';
import { requestCertificate } from '../../../registry/certification/request-certificate.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  CertificateOutcomeSchema,
  certificateOutcomeBody,
  NewCertificateRequestSchema,
} from './certificate-request-schema.ts';

export const requestCertificateOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/certificate-requests',
    operationId: 'requestCertificate',
    tags: ['Certificates'],
    summary: 'Ask for a certificate',
    description: [
      'Subject and alternative names are those of the registry: `O` the legal name, `organizationIdentifier` (2.5.4.97) the registration, `UID` the id of the entity, `CN` the host of its Entity Identifier, which is a URI among the alternative names; for a `server` the host is one of them, too. What the request says of its subject is compared only: one that names somebody else is refused (`subject_mismatch`).',
      'It waits for somebody else to approve it, but for a renewal (`replaces`) that says of the entity what the certificate before says. Nothing is issued for who is not active (`not_active`). `csr_signature_invalid`: it is not signed with its key; `weak_key`; `key_reuse`: the key was seen here before, whoever had it; `chain_untrusted`: the authority believes its trust list alone, and the certification authority is not on it.',
      whoMayAsk('requestCertificate'),
    ].join('\n\n'),
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(IDEMPOTENCY_KEY),
      body: jsonBody(NewCertificateRequestSchema),
    },
    responses: {
      201: jsonReply('Issued: the request with its certificate.', CertificateOutcomeSchema, ['ETag', 'Location']),
      202: jsonReply('It waits to be approved.', CertificateOutcomeSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext, certification }) =>
    async (c) => {
      const { issueCertificate } = certification;
      const context = { ...changeContext(c.get('actor'), c.get('requestId')), issueCertificate };
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const outcome = await requestCertificate(
        context,
        c.req.valid('param').entityId,
        c.req.valid('json'),
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = {
        ETag: entityTag(outcome.request),
        Location: `/api/v1/certificate-requests/${outcome.request.id}`,
      };
      return c.json(certificateOutcomeBody(outcome, context.now), outcome.credential === null ? 202 : 201, headers);
    },
);
