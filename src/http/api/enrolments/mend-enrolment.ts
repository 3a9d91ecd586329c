/** Changes what an enrolment asks for, and runs its steps again. */
import { createRoute, z } from '@hono/zod-openapi';
import { runEnrolmentSteps, updateEnrolment } from '../../../enrolment/flow/change-enrolment.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import {
  askedOf,
  ENROLMENT_PARAMS,
  EnrolmentChangesSchema,
  EnrolmentSchema,
  enrolmentBody,
  STEP_PARAMS,
} from './enrolment-schema.ts';

export const updateEnrolmentOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/enrolments/{enrolmentId}',
    operationId: 'updateEnrolment',
    tags: ['Enrolments'],
    summary: 'Change an enrolment',
    description: `Each member given replaces the present one, settings of the statement all at once; then all steps run. What came without a token is taken up with \`organisationId\`. ${whoMayAsk('updateEnrolment')}`,
    security: BEARER,
    request: {
      params: ENROLMENT_PARAMS,
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(EnrolmentChangesSchema),
    },
    responses: {
      200: jsonReply('The enrolment as it is now.', EnrolmentSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext, enrolmentTools }) =>
    async (c) => {
      const { organisationId, ...asked } = c.req.valid('json');
      const enrolment = await updateEnrolment(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').enrolmentId,
        { organisationId, ...askedOf(asked) },
        requiredVersion(c.req.valid('header')),
        enrolmentTools,
      );
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);

export const runEnrolmentStepOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/steps/{step}/run',
    operationId: 'runEnrolmentStep',
    tags: ['Enrolments'],
    summary: 'Run a step again',
    description: `\`keys\`, \`configuration\` and \`metadata_policy\` are looked at together. Evidence that says something else takes back the approvals given before. ${whoMayAsk('runEnrolmentStep')}`,
    security: BEARER,
    request: { params: STEP_PARAMS },
    responses: {
      200: jsonReply('The enrolment as it is now.', EnrolmentSchema, ['ETag']),
      ...problems(400, 404, 409, 412),
    },
  }),
  ({ changeContext, enrolmentTools }) =>
    async (c) => {
      const { enrolmentId, step } = c.req.valid('param');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const enrolment = await runEnrolmentSteps(context, enrolmentId, step, enrolmentTools);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);

export const runEnrolmentStepsOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/run',
    operationId: 'runEnrolmentSteps',
    tags: ['Enrolments'],
    summary: 'Run all steps again',
    description: `Those that the authority asks for now, which may be others than before. ${whoMayAsk('runEnrolmentSteps')}`,
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
      const enrolment = await runEnrolmentSteps(context, c.req.valid('param').enrolmentId, undefined, enrolmentTools);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);
