/** Makes an API token. */
import { createRoute } from '@hono/zod-openapi';
import { createToken } from '../../../registry/tokens/create-token.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { NewTokenSchema, requireNoIdempotencyKey, TokenWithSecretSchema, tokenBody } from './token-schema.ts';

export const createTokenOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/tokens',
    operationId: 'createToken',
    tags: ['Tokens'],
    summary: 'Make an API token',
    description: `The answer holds the secret, once; so this request cannot be repeated with an \`Idempotency-Key\`. It reaches no further than whoever makes it; an \`organisation-admin\` makes those of technical contacts of his organisations. ${whoMayAsk('createToken')}`,
    security: BEARER,
    request: { body: jsonBody(NewTokenSchema) },
    responses: { 201: jsonReply('The token with its secret.', TokenWithSecretSchema), ...bodyProblems(409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const { expiresInDays, ...input } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { token, secret } = await createToken(context, { ...input, lifetimeSeconds: expiresInDays * 86_400 });
      return c.json({ ...tokenBody(token), secret }, 201);
    },
);
