/** Reads a credential. */
import { createRoute } from '@hono/zod-openapi';
import { readCredential } from '../../../registry/credentials/read-credential.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { CredentialSchema, credentialBody } from './credential-schema.ts';

export const readCredentialOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/credentials/{credentialId}',
    operationId: 'readCredential',
    tags: ['Credentials'],
    summary: 'Read a credential',
    description: `With the chain of a certificate. ${whoMayAsk('readCredential')}`,
    security: BEARER,
    request: { params: recordIdParam('credentialId') },
    responses: { 200: jsonReply('The credential.', CredentialSchema, ['ETag']), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const credential = await readCredential(db, actor, c.req.valid('param').credentialId);
      return c.json(credentialBody(credential, now), 200, { ETag: entityTag(credential) });
    },
);
