/** Begins an enrolment, and submits a draft of one. */
import { createRoute, z } from '@hono/zod-openapi';
import { submitDraft, submitEnrolment } from '../../../enrolment/flow/submit-enrolment.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { askedOf, ENROLMENT_PARAMS, EnrolmentSchema, enrolmentBody, NewEnrolmentSchema } from './enrolment-schema.ts';

export const submitEnrolmentOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments',
    operationId: 'submitEnrolment',
    tags: ['Enrolments'],
    summary: 'Submit an enrolment',
    description: [
      'Runs the steps of the authority’s flow (`enrolmentFlow`) and keeps what each found and what it would change. Once all have passed, a pending record of the entity is made and people approve it; whoever submitted does not.',
      `Settings of the statement (\`metadata\` to \`statementLifetimeSeconds\`) are for those who work for the authority. ${whoMayAsk('submitEnrolment')}`,
    ].join('\n\n'),
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewEnrolmentSchema) },
    responses: {
      201: jsonReply('The enrolment with its steps.', EnrolmentSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 422),
    },
  }),
  ({ changeContext, enrolmentTools }) =>
    async (c) => {
      const { organisationId, entityIdentifier, draft, mode, onBehalfOf, ...asked } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const enrolment = await submitEnrolment(
        changeContext(c.get('actor'), c.get('requestId')),
        { organisationId, entityIdentifier, isDraft: draft, mode, onBehalfOf, ...askedOf(asked) },
        enrolmentTools,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(enrolment), Location: `/api/v1/enrolments/${enrolment.id}` };
      return c.json(enrolmentBody(enrolment), 201, headers);
    },
);

export const submitEnrolmentDraftOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/submit',
    operationId: 'submitEnrolmentDraft',
    tags: ['Enrolments'],
    summary: 'Submit a draft',
    description: `Runs its steps. Whoever submits it does not approve it. ${whoMayAsk('submitEnrolmentDraft')}`,
    security: BEARER,
    request: { params: ENROLMENT_PARAMS },
    responses: {
      200: jsonReply('The enrolment as it is now.', EnrolmentSchema, ['ETag']),
      ...problems(404, 409, 412),
    },
  }),
  ({ changeContext, enrolmentTools }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const enrolment = await submitDraft(context, c.req.valid('param').enrolmentId, enrolmentTools);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);
