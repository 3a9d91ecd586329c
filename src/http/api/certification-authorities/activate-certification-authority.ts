/** Gives a certification authority its certificate. */
import { createRoute, z } from '@hono/zod-openapi';
import { activateCertificationAuthority } from '../../../registry/certification/activate-certification-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  ActivationSchema,
  CertificationAuthoritySchema,
  certificationAuthorityBody,
} from './certification-authority-schema.ts';

export const activateCertificationAuthorityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/certification-authorities/{certificationAuthorityId}/activate',
    operationId: 'activateCertificationAuthority',
    tags: ['Certification authorities'],
    summary: 'Give a certification authority its certificate',
    description: [
      'It issues from then on. One that is active gets another certificate of its key and name, such as one that lasts longer.',
      'What is wrong with the chain is said by `reason`: `key_mismatch`, `chain_broken` (also one that is upside down, or comes alone), `usage_unsuitable` (no authority, path length, key usage), `certificate_expired`, `certificate_not_yet_valid`, `algorithm_unsupported` (SHA-1), `weak_key`, `name_invalid` (another subject than before).',
      'Whether what it issues is believed is for the trust list of its authority to say: `listedFor`.',
      whoMayAsk('activateCertificationAuthority'),
    ].join('\n\n'),
    security: BEARER,
    request: {
      params: recordIdParam('certificationAuthorityId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(ActivationSchema),
    },
    responses: {
      200: jsonReply('The certification authority, active.', CertificationAuthoritySchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const active = await activateCertificationAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').certificationAuthorityId,
        c.req.valid('json').certificate,
        expectedVersion(c.req.valid('header')),
      );
      return c.json(certificationAuthorityBody(active), 200, { ETag: entityTag(active) });
    },
);
