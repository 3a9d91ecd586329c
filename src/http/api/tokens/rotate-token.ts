/** Gives API tokens new secrets: some token, or the one that asks. */
import { createRoute } from '@hono/zod-openapi';
import type { ApiToken } from '../../../registry/tokens/api-token.ts';
import { rotateOwnToken, rotateToken, type TokenRotation } from '../../../registry/tokens/rotate-token.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { requireNoIdempotencyKey, TokenRotationSchema, TokenWithSecretSchema, tokenBody } from './token-schema.ts';

const EFFECT =
  'The old secret stays good until `previousExpiresAt`, so that whoever uses it can change over; one that leaked is rotated with `overlapHours` 0. Name, roles, reach and end stay.';

const REPLY = jsonReply('The token with its new secret.', TokenWithSecretSchema);

export const rotateTokenOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/tokens/{tokenId}/rotate',
    operationId: 'rotateToken',
    tags: ['Tokens'],
    summary: 'Give an API token a new secret',
    description: `${EFFECT} ${whoMayAsk('rotateToken')}`,
    security: BEARER,
    request: { params: recordIdParam('tokenId'), body: jsonBody(TokenRotationSchema) },
    responses: { 200: REPLY, ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const rotation = rotationOf(c.req.valid('json'));
      return c.json(secretBody(await rotateToken(context, c.req.valid('param').tokenId, rotation)), 200);
    },
);

export const rotateOwnTokenOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/whoami/rotate',
    operationId: 'rotateOwnToken',
    tags: ['Tokens'],
    summary: 'Give the token in use a new secret',
    description: `${EFFECT} ${whoMayAsk('rotateOwnToken')}`,
    security: BEARER,
    request: { body: jsonBody(TokenRotationSchema) },
    responses: { 200: REPLY, ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      return c.json(secretBody(await rotateOwnToken(context, rotationOf(c.req.valid('json')))), 200);
    },
);

function rotationOf({ overlapHours }: { overlapHours: number }): TokenRotation {
  return { overlapSeconds: overlapHours * 3600 };
}

function secretBody({ token, secret }: { token: ApiToken; secret: string }) {
  return { ...tokenBody(token), secret };
}
