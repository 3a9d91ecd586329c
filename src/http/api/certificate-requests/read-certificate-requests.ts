/** Lists and reads requests for certificates. */
import { createRoute, z } from '@hono/zod-openapi';
import { listCertificateRequests, readOutcome } from '../../../registry/certification/read-certificate-requests.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  CertificateOutcomeSchema,
  CertificateProfileSchema,
  CertificateRequestPageSchema,
  CertificateRequestStateSchema,
  certificateOutcomeBody,
  certificateRequestBody,
} from './certificate-request-schema.ts';

export const listCertificateRequestsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/certificate-requests',
    operationId: 'listCertificateRequests',
    tags: ['Certificates'],
    summary: 'List requests for certificates',
    description: `Those in reach of the token, oldest first; with \`state=pending\` those that wait. ${whoMayAsk('listCertificateRequests')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityId: RecordIdSchema.optional(),
        certificationAuthorityId: RecordIdSchema.optional(),
        profile: CertificateProfileSchema.optional(),
        state: CertificateRequestStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of requests.', CertificateRequestPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listCertificateRequests(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(certificateRequestBody), ...rest }, 200);
    },
);

export const readCertificateRequestOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/certificate-requests/{requestId}',
    operationId: 'readCertificateRequest',
    tags: ['Certificates'],
    summary: 'Read a request for a certificate',
    description: `With the certificate, if it was issued. ${whoMayAsk('readCertificateRequest')}`,
    security: BEARER,
    request: { params: recordIdParam('requestId') },
    responses: { 200: jsonReply('The request.', CertificateOutcomeSchema, ['ETag']), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const outcome = await readOutcome(db, actor, c.req.valid('param').requestId);
      return c.json(certificateOutcomeBody(outcome, now), 200, { ETag: entityTag(outcome.request) });
    },
);
