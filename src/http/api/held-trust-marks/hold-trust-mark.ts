/** Lets an authority show a Trust Mark. */
import { createRoute } from '@hono/zod-openapi';
import { authorise } from '../../../registry/actor.ts';
import { readAuthority } from '../../../registry/authorities/read-authority.ts';
import { holdTrustMark } from '../../../registry/trust-marks/hold-trust-mark.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { HeldTrustMarkSchema, heldTrustMarkBody, NewHeldTrustMarkSchema } from './held-trust-mark-schema.ts';

export const holdTrustMarkOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/held-trust-marks',
    operationId: 'holdTrustMark',
    tags: ['Trust Marks'],
    summary: 'Show a Trust Mark',
    description: `The Entity Configuration of the authority carries it from now on, in place of an older one of the same type and issuer; it is verified with the keys that its issuer publishes, and refreshed from there before half of its life is over. It has ten minutes left at least, and is no older than the one before. ${whoMayAsk('holdTrustMark')}`,
    security: BEARER,
    request: { body: jsonBody(NewHeldTrustMarkSchema) },
    responses: { 200: jsonReply('The mark.', HeldTrustMarkSchema, ['ETag']), ...bodyProblems(404) },
  }),
  ({ db, changeContext, fetchTrustMark, verifyTrustMark }) =>
    async (c) => {
      const { authorityId, trustMark, issuer = '', trustMarkType = '' } = c.req.valid('json');
      const actor = c.get('actor');
      authorise(actor, ['admin'], authorityId);
      const { entityIdentifier: bearer } = await readAuthority(db, actor, authorityId);
      const jwt = trustMark ?? (await fetchTrustMark({ issuer, trustMarkType, bearer }));
      const asked = trustMark === undefined ? { issuer, trustMarkType } : undefined;
      const context = changeContext(actor, c.get('requestId'));
      const held = await holdTrustMark(context, authorityId, jwt, verifyTrustMark, asked);
      return c.json(heldTrustMarkBody(held), 200, { ETag: entityTag(held) });
    },
);
