/** Makes a challenge for keys that are handed over. */
import { createRoute, z } from '@hono/zod-openapi';
import { createEnrolmentChallenge } from '../../../enrolment/enrolment-challenge.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const NewChallengeSchema = z
  .strictObject({ authorityId: RecordIdSchema, entityIdentifier: EntityIdentifierSchema })
  .openapi('NewEnrolmentChallenge');

const ChallengeSchema = z
  .object({
    challenge: z.string().openapi({
      description: 'What each key signs, as `nonce` of its proof.',
      example: 'pZ5wS0q4mT9yX2bV7cK1nL8dF3gH6jR0aE4uI5oP2sQ',
    }),
    expiresAt: TimeSchema,
  })
  .openapi('EnrolmentChallenge');

export const createEnrolmentChallengeOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolment-challenges',
    operationId: 'createEnrolmentChallenge',
    tags: ['Entities'],
    summary: 'Make a challenge for keys that are handed over',
    description: `For one entity that cannot publish; good once, for a day. ${whoMayAsk('createEnrolmentChallenge')}`,
    security: BEARER,
    request: { body: jsonBody(NewChallengeSchema) },
    responses: { 201: jsonReply('The challenge.', ChallengeSchema), ...bodyProblems(404) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { authorityId, entityIdentifier } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { challenge, expiresAt } = await createEnrolmentChallenge(context, authorityId, entityIdentifier);
      return c.json({ challenge, expiresAt: expiresAt.toISOString() }, 201);
    },
);
