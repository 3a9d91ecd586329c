/** Makes an API token. */
import { createRoute } from '@hono/zod-openapi';
import { createToken } from '../../../registry/tokens/create-token.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, needsRole } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { NewTokenSchema, TokenWithSecretSchema, tokenBody } from './token-schema.ts';

export const createTokenOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/tokens',
    operationId: 'createToken',
    tags: ['Tokens'],
    summary: 'Make an API token',
    description: `The answer holds the secret, once. ${needsRole(['admin'], 'deployment')}`,
    security: BEARER,
    request: { body: jsonBody(NewTokenSchema) },
    responses: { 201: jsonReply('The token with its secret.', TokenWithSecretSchema), ...bodyProblems(409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { expiresInDays, ...input } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { token, secret } = await createToken(context, { ...input, lifetimeSeconds: expiresInDays * 86_400 });
      return c.json({ ...tokenBody(token), secret }, 201);
    },
);
