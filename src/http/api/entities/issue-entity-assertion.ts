/** Signs a software statement of an entity. */
import { createRoute, z } from '@hono/zod-openapi';
import { signingRoom } from '../../admission/signing-room.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const EntityAssertionSchema = z
  .object({
    assertion: z.string().openapi({
      description: 'A JWT of the type `software-statement+jwt`, signed with a Federation Entity Key of the authority.',
    }),
    expiresAt: TimeSchema.openapi({ description: 'Ten minutes from now at most.' }),
  })
  .openapi('EntityAssertion');

export const issueEntityAssertionOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities/{entityId}/assertion',
    operationId: 'issueEntityAssertion',
    tags: ['Entities'],
    summary: 'Get a software statement',
    description: `What the authority says of an application to a server where it registers itself (RFC 7591): who it is and whose, its roles, where it may be sent, where its keys are. Signed for each request; \`not_active\` unless application and organisation are. ${whoMayAsk('issueEntityAssertion')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: { 200: jsonReply('The statement.', EntityAssertionSchema), ...problems(404, 409, 429) },
  }),
  ({ stateSoftware }) => {
    const inTurn = signingRoom('this entity');
    return async (c) => {
      const { entityId } = c.req.valid('param');
      const { jwt, expiresAt } = await inTurn(entityId, () => stateSoftware(c.get('actor'), entityId));
      return c.json({ assertion: jwt, expiresAt: new Date(expiresAt * 1000).toISOString() }, 200);
    };
  },
);
