/** Grants an access token to an entity that proves itself by one of its Federation Entity Keys, or by its transport certificate. @see RFC 6749 §4.4, RFC 7523, RFC 8705 */
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ENTITY_TOKEN_LIFETIME_SECONDS } from '../../../registry/tokens/entity-token.ts';
import { Exchange } from '../../federation/exchange.ts';
import { TryAgainLater } from '../../federation/try-again-later.ts';
import type { ApiEnv } from '../api-env.ts';
import { jsonReply, whoMayAsk } from '../exchange.ts';
import type { Operation } from '../operation.ts';
import { OAuthError } from './oauth-error.ts';
import { answerTokenRequest, MAX_ASSERTION_SECONDS } from './token-request.ts';

const AccessTokenSchema = z
  .object({
    access_token: z.string().openapi({ description: 'Opaque; goes into `Authorization: Bearer`.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().openapi({ description: 'Seconds.', example: ENTITY_TOKEN_LIFETIME_SECONDS }),
  })
  .openapi('AccessToken');

const OAuthErrorSchema = z
  .object({
    error: z.string().openapi({ example: 'invalid_client' }),
    error_description: z.string(),
  })
  .openapi('OAuthError');

const TokenRequestSchema = z
  .object({
    grant_type: z.literal('client_credentials'),
    client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer').optional(),
    client_assertion: z
      .string()
      .optional()
      .openapi({
        description: `A JWT signed by a registered Federation Entity Key that its \`kid\` names: \`iss\` = \`sub\` = the Entity Identifier, \`aud\` = the URL of this endpoint alone, \`exp\` at most ${MAX_ASSERTION_SECONDS} s ahead, a \`jti\` of its own. Left out by whoever proves himself by the certificate of the connection.`,
      }),
    client_id: z.string().optional().openapi({ description: 'The Entity Identifier; required without an assertion.' }),
    authority: z
      .string()
      .optional()
      .openapi({ description: 'Entity Identifier of the authority, where several here vouch for the entity.' }),
  })
  .openapi('AccessTokenRequest');

const DESCRIPTION = `For machines of an entity: an access token of ${ENTITY_TOKEN_LIFETIME_SECONDS / 60} minutes with the rights of a \`technical-contact\` on this entity alone, by \`private_key_jwt\` (RFC 7523), or by its transport certificate at the port that asks for one (\`HOLDFAST_MTLS_PORT\`; RFC 8705 §2). It ends at once when the entity or its organisation is not active any more, or the key that signed is removed. Each assertion is good once. What was got with a certificate is bound to it: with any other, and without one, it is refused (\`token_bound\`), and it ends when that certificate admits nobody any more. ${whoMayAsk('grantAccessToken')}`;

const route = createRoute({
  method: 'post',
  path: '/api/v1/oauth/token',
  operationId: 'grantAccessToken',
  tags: ['Tokens'],
  summary: 'Get an access token with a Federation Entity Key or a client certificate',
  description: DESCRIPTION,
  security: [],
  request: {
    body: { required: true, content: { 'application/x-www-form-urlencoded': { schema: TokenRequestSchema } } },
  },
  responses: {
    200: jsonReply('The access token.', AccessTokenSchema),
    400: jsonReply(
      'The request is wrong: `invalid_request`, `unsupported_grant_type`, `invalid_scope`.',
      OAuthErrorSchema,
    ),
    401: jsonReply('Nobody proved himself: `invalid_client`.', OAuthErrorSchema),
    429: jsonReply('Too many requests; see `Retry-After`.', OAuthErrorSchema),
  },
});

/** Its refusals are those of OAuth, so neither its body nor its answers go the way of the other operations. */
export const grantAccessTokenOperation: Operation = {
  route,
  mount(app, dependencies) {
    app.on(route.method, route.getRoutingPath(), async (c) => {
      const exchange = new Exchange(c.req.raw, c.env);
      try {
        const secret = await answerTokenRequest(dependencies, exchange);
        const body = { access_token: secret, token_type: 'Bearer', expires_in: ENTITY_TOKEN_LIFETIME_SECONDS };
        return exchange.complete(c.json(body, 200));
      } catch (error) {
        return exchange.complete(refusal(c, error));
      }
    });
  },
};

/** What is neither a refusal of OAuth nor a quota goes the way of all errors. */
function refusal(c: Context<ApiEnv>, error: unknown): Response {
  if (error instanceof OAuthError) {
    if (error.status === 401) c.header('www-authenticate', 'Bearer realm="holdfast"');
    return c.json(error.body, error.status);
  }
  if (!(error instanceof TryAgainLater && error.status === 429)) throw error;
  c.header('retry-after', String(error.retryAfterSeconds));
  return c.json({ error: 'temporarily_unavailable', error_description: error.message }, 429);
}
