/** Changes the settings of a certification authority. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateCertificationAuthority } from '../../../registry/certification/update-certification-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  CertificationAuthoritySchema,
  CertificationChangesSchema,
  certificationAuthorityBody,
} from './certification-authority-schema.ts';

export const updateCertificationAuthorityOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/certification-authorities/{certificationAuthorityId}',
    operationId: 'updateCertificationAuthority',
    tags: ['Certification authorities'],
    summary: 'Change a certification authority',
    description: `Each member given replaces the present one, \`validityDays\` profile by profile. It holds for what is issued from then on; what was issued names the URLs of its time, so keep those answering. ${whoMayAsk('updateCertificationAuthority')}`,
    security: BEARER,
    request: {
      params: recordIdParam('certificationAuthorityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(CertificationChangesSchema),
    },
    responses: {
      200: jsonReply('The certification authority as it is now.', CertificationAuthoritySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const changed = await updateCertificationAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').certificationAuthorityId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(certificationAuthorityBody(changed), 200, { ETag: entityTag(changed) });
    },
);
