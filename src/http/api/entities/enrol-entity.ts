/** Enrols an entity. */
import { createRoute, z } from '@hono/zod-openapi';
import { enrolEntity } from '../../../enrolment/enrol-entity.ts';
import { enrolHandedOver, type HandedOverEnrolment } from '../../../enrolment/enrol-handed-over.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { EntitySchema, entityBody, NewEntitySchema } from './entity-schema.ts';

export const enrolEntityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities',
    operationId: 'enrolEntity',
    tags: ['Entities'],
    summary: 'Enrol an entity',
    description: [
      'Fetches its Entity Configuration, checks it and records what was found. It is pending: nothing is vouched for before approval. A failed check is recorded as well, with what to mend.',
      "An entity that cannot publish is enrolled with `jwks`, `challenge`, `keyProofs` and `outOfBandCheck`, all four: each key signs the challenge, and a person makes sure that the keys are the partner's.",
      'Needs the role `admin` or `registrar`, with keys handed over `registrar`, in a token that reaches the authority.',
    ].join('\n\n'),
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewEntitySchema) },
    responses: {
      201: jsonReply('The entity with its checks.', EntitySchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext, retrieveConfiguration }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const idempotency = idempotencyOf(c.req.valid('header'), request);
      const input = c.req.valid('json');
      const entity = isHandedOver(input)
        ? await enrolHandedOver(context, input, idempotency)
        : await enrolEntity(context, input, retrieveConfiguration, idempotency);
      const headers = { ETag: entityTag(entity), Location: `/api/v1/entities/${entity.id}` };
      return c.json(entityBody(entity), 201, headers);
    },
);

/** The schema has seen to it that all members of a hand-over are there, or none. */
function isHandedOver(input: z.infer<typeof NewEntitySchema>): input is HandedOverEnrolment & typeof input {
  return input.jwks !== undefined;
}
