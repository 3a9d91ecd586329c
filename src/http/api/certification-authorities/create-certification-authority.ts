/** Makes a certification authority, which waits for its certificate. */
import { createRoute, z } from '@hono/zod-openapi';
import { createCertificationAuthority } from '../../../registry/certification/create-certification-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import {
  CertificationAuthoritySchema,
  certificationAuthorityBody,
  NewCertificationAuthoritySchema,
} from './certification-authority-schema.ts';

export const createCertificationAuthorityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/certification-authorities',
    operationId: 'createCertificationAuthority',
    tags: ['Certification authorities'],
    summary: 'Make a certification authority',
    description: [
      'Its key is made where other keys of the deployment are, and never leaves. It is `pending`: have `request` certified by a root that is kept elsewhere (`holdfast ca init --root` does it), then bring the certificate (`activate`).',
      'Name taken: `certification_authority_exists`.',
      whoMayAsk('createCertificationAuthority'),
    ].join('\n\n'),
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewCertificationAuthoritySchema) },
    responses: {
      201: jsonReply('The certification authority, pending.', CertificationAuthoritySchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext, certification }) =>
    async (c) => {
      const { authorityId, ...input } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const made = await createCertificationAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        input,
        certification,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(made), Location: `/api/v1/certification-authorities/${made.id}` };
      return c.json(certificationAuthorityBody(made), 201, headers);
    },
);
