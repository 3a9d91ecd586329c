/** Lets an announced key of an authority sign. */
import { createRoute } from '@hono/zod-openapi';
import { activateAuthorityKey } from '../../../registry/authorities/keys/activate-authority-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import {
  AuthorityKeyParams,
  AuthorityKeySchema,
  authorityKeyBody,
  KeyActivationSchema,
} from './authority-key-schema.ts';

export const activateAuthorityKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/authorities/{authorityId}/keys/{kid}/activate',
    operationId: 'activateAuthorityKey',
    tags: ['Authorities'],
    summary: 'Let an announced key sign',
    description: `The key before it retires. Nobody needs to ask for this: it happens by itself in time. Earlier it is refused with \`key_not_ready\` and what it \`waits\` for, unless \`force\` is set. ${whoMayAsk('activateAuthorityKey')}`,
    security: BEARER,
    request: { params: AuthorityKeyParams, body: jsonBody(KeyActivationSchema) },
    responses: { 200: jsonReply('The key as it is now.', AuthorityKeySchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorityId, kid } = c.req.valid('param');
      const { force = false, reason } = c.req.valid('json');
      const key = await activateAuthorityKey(context, authorityId, kid, { isForced: force, reason });
      return c.json(authorityKeyBody(key), 200);
    },
);
