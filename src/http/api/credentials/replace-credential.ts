/** Replaces a credential by another one. */
import { createRoute, z } from '@hono/zod-openapi';
import { replaceCredential } from '../../../registry/credentials/replace-credential.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { momentOf } from '../offer-schema.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { CredentialReplacementSchema, CredentialSchema, credentialBody, materialOf } from './credential-schema.ts';

export const replaceCredentialOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/credentials/{credentialId}/replace',
    operationId: 'replaceCredential',
    tags: ['Credentials'],
    summary: 'Replace a credential',
    description: `Adds one for the same use. Until \`until\` both count, then the old one is \`superseded\` by itself. One that is \`unproven\` may be replaced by itself, with a \`proof\`. ${whoMayAsk('replaceCredential')}`,
    security: BEARER,
    request: {
      params: recordIdParam('credentialId'),
      headers: z.object({ ...OPTIONAL_IF_MATCH, ...IDEMPOTENCY_KEY }),
      body: jsonBody(CredentialReplacementSchema),
    },
    responses: {
      201: jsonReply('The credential that takes its place.', CredentialSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 412, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { until = null, proof, ...material } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const headers = c.req.valid('header');
      const credential = await replaceCredential(
        context,
        c.req.valid('param').credentialId,
        { material: materialOf(material), proof, until: momentOf(until) },
        { expectedVersion: expectedVersion(headers), idempotency: idempotencyOf(headers, request) },
      );
      const location = `/api/v1/credentials/${credential.id}`;
      return c.json(credentialBody(credential, context.now), 201, { ETag: entityTag(credential), Location: location });
    },
);
