/** Enrols an entity. */
import { createRoute, z } from '@hono/zod-openapi';
import type { RetrieveConfiguration } from '../../../enrolment/configuration-checks.ts';
import { type Enrolment, enrolEntity } from '../../../enrolment/enrol-entity.ts';
import { enrolHandedOver, type HandedOverEnrolment } from '../../../enrolment/enrol-handed-over.ts';
import { enrolHosted, type HostedEnrolmentTools } from '../../../enrolment/enrol-hosted.ts';
import { runBegunEnrolment } from '../../../enrolment/flow/begin-with-entity.ts';
import type { ChangeContext, Idempotency } from '../../../registry/change.ts';
import type { Entity } from '../../../registry/entities/entity.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { EntitySchema, entityBody, NewEntitySchema } from './entity-schema.ts';

const AddedEntitySchema = EntitySchema.extend({
  enrolmentId: RecordIdSchema.nullable().openapi({
    description: 'The enrolment whose steps let it in; null where the authority has no flow of its own.',
  }),
}).openapi('AddedEntity');

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
      'One without a web server is enrolled with `hosting`: its configuration is published here under our own host for that (`HOLDFAST_HOSTED_BASE_URL`), or under a host name of its own once that points here, and signed with a key that is kept for it.',
      'Where the authority has a flow of its own (`enrolmentFlow`), its enrolment begins with the record and runs its steps: for keys handed over the answered challenge counts as their proof, for hosted ones that they are kept here. That enrolment is approved, not the entity.',
      'Needs the role `admin` or `registrar`, with keys handed over `registrar`, in a token that reaches the authority.',
    ].join('\n\n'),
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewEntitySchema) },
    responses: {
      201: jsonReply('The entity with its checks.', AddedEntitySchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext, retrieveConfiguration, enrolmentTools, generateHostedKey, previewHosted }) =>
    async (c) => {
      const tools = { retrieve: retrieveConfiguration, generateKey: generateHostedKey, preview: previewHosted };
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const idempotency = idempotencyOf(c.req.valid('header'), request);
      const input = c.req.valid('json');
      const added = await enrol(context, input, tools, idempotency);
      const { entity, enrolmentId } = await runBegunEnrolment(context, added, enrolmentTools);
      const headers = { ETag: entityTag(entity), Location: `/api/v1/entities/${entity.id}` };
      return c.json({ ...entityBody(entity), enrolmentId }, 201, headers);
    },
);

/** By what the entity can do itself: publish, hand over keys, or neither. */
async function enrol(
  context: ChangeContext,
  { hosting, ...input }: z.infer<typeof NewEntitySchema>,
  tools: HostedEnrolmentTools & { retrieve: RetrieveConfiguration },
  idempotency: Idempotency | undefined,
): Promise<Entity> {
  if (hosting !== undefined) return await enrolHosted(context, { ...input, hosting }, tools, idempotency);
  if (isHandedOver(input)) return await enrolHandedOver(context, input, idempotency);
  return await enrolEntity(context, input, tools.retrieve, idempotency);
}

/** The schema has seen to it that all members of a hand-over are there, or none. */
function isHandedOver(input: Enrolment & Partial<HandedOverEnrolment>): input is HandedOverEnrolment {
  return input.jwks !== undefined;
}
