/** Approves or rejects a request for a certificate. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  approveCertificateRequest,
  rejectCertificateRequest,
} from '../../../registry/certification/decide-certificate-request.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { CertificateOutcomeSchema, certificateOutcomeBody } from './certificate-request-schema.ts';

export const approveCertificateRequestOperation = decideOperation(
  'approve',
  'It is issued at once, of what the registry says now, and counts from then on. Whoever asked for it, or made the code that it came with, cannot approve it (`four_eyes`).',
);

export const rejectCertificateRequestOperation = decideOperation('reject', 'Final.');

function decideOperation(verb: 'approve' | 'reject', effect: string) {
  const operationId = `${verb}CertificateRequest` as const;
  const route = createRoute({
    method: 'post',
    path: `/api/v1/certificate-requests/{requestId}/${verb}`,
    operationId,
    tags: ['Certificates'],
    summary: `${verb === 'approve' ? 'Approve' : 'Reject'} a request for a certificate`,
    description: `${effect} ${whoMayAsk(operationId)}`,
    security: BEARER,
    request: {
      params: recordIdParam('requestId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The request as it is now, with its certificate.', CertificateOutcomeSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 422),
    },
  });
  return defineOperation(route, ({ changeContext, certification }) => async (c) => {
    const { issueCertificate } = certification;
    const context = { ...changeContext(c.get('actor'), c.get('requestId')), issueCertificate };
    const decide = verb === 'approve' ? approveCertificateRequest : rejectCertificateRequest;
    const { reason } = c.req.valid('json');
    const version = expectedVersion(c.req.valid('header'));
    const outcome = await decide(context, c.req.valid('param').requestId, reason, version);
    return c.json(certificateOutcomeBody(outcome, context.now), 200, { ETag: entityTag(outcome.request) });
  });
}
