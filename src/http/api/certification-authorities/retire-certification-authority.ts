/** Retires a certification authority. */
import { createRoute, z } from '@hono/zod-openapi';
import { retireCertificationAuthority } from '../../../registry/certification/retire-certification-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  CertificationAuthoritySchema,
  certificationAuthorityBody,
  RetirementSchema,
} from './certification-authority-schema.ts';

export const retireCertificationAuthorityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/certification-authorities/{certificationAuthorityId}/retire',
    operationId: 'retireCertificationAuthority',
    tags: ['Certification authorities'],
    summary: 'Retire a certification authority',
    description: `For good: it issues nothing from then on. What it issued counts on; its list of revocations and its responder go on answering for that. Take it off the trust list, or revoke what it issued, where that shall count no more. ${whoMayAsk('retireCertificationAuthority')}`,
    security: BEARER,
    request: {
      params: recordIdParam('certificationAuthorityId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(RetirementSchema),
    },
    responses: {
      200: jsonReply('The certification authority, retired.', CertificationAuthoritySchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const retired = await retireCertificationAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').certificationAuthorityId,
        c.req.valid('json').reason,
        expectedVersion(c.req.valid('header')),
      );
      return c.json(certificationAuthorityBody(retired), 200, { ETag: entityTag(retired) });
    },
);
