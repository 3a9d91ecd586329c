/** Approves, rejects and cancels enrolments. */
import { createRoute, z } from '@hono/zod-openapi';
import { approveEnrolment, cancelEnrolment, rejectEnrolment } from '../../../enrolment/flow/decide-enrolment.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH, REQUIRED_IF_MATCH, seenVersion } from '../preconditions.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { ENROLMENT_PARAMS, EnrolmentSchema, enrolmentBody } from './enrolment-schema.ts';

const REPLY = jsonReply('The enrolment as it is now.', EnrolmentSchema, ['ETag']);

export const approveEnrolmentOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/approve',
    operationId: 'approveEnrolment',
    tags: ['Enrolments'],
    summary: 'Approve an enrolment',
    description: `\`If-Match\` names the version whose evidence you looked at. The steps look once more: when they find something else, nothing is approved (\`evidence_changed\`, \`checks_failed\`) and the new evidence is kept. Nor is it when the flow of the authority changed since they ran (\`flow_changed\`): run them again. Whoever submitted it is refused (\`four_eyes\`); approvals of one person count once. The last one needed vouches for the entity from that moment. ${whoMayAsk('approveEnrolment')}`,
    security: BEARER,
    request: {
      params: ENROLMENT_PARAMS,
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: { 200: REPLY, ...bodyProblems(404, 409, 412, 428) },
  }),
  ({ changeContext, enrolmentTools }) =>
    async (c) => {
      const enrolment = await approveEnrolment(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').enrolmentId,
        c.req.valid('json').reason,
        seenVersion(c.req.valid('header')),
        enrolmentTools,
      );
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);

export const rejectEnrolmentOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/reject',
    operationId: 'rejectEnrolment',
    tags: ['Enrolments'],
    summary: 'Reject an enrolment',
    description: `For good; the pending record of the entity is rejected with it. ${whoMayAsk('rejectEnrolment')}`,
    security: BEARER,
    request: {
      params: ENROLMENT_PARAMS,
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: { 200: REPLY, ...bodyProblems(404, 409, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { reason } = c.req.valid('json');
      const version = expectedVersion(c.req.valid('header'));
      const enrolment = await rejectEnrolment(context, c.req.valid('param').enrolmentId, reason, version);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);

export const cancelEnrolmentOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enrolments/{enrolmentId}/cancel',
    operationId: 'cancelEnrolment',
    tags: ['Enrolments'],
    summary: 'Cancel an enrolment',
    description: `For good; the pending record of the entity is closed with it. ${whoMayAsk('cancelEnrolment')}`,
    security: BEARER,
    request: { params: ENROLMENT_PARAMS, body: jsonBody(TransitionReasonSchema) },
    responses: { 200: REPLY, ...bodyProblems(404, 409, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { reason } = c.req.valid('json');
      const enrolment = await cancelEnrolment(context, c.req.valid('param').enrolmentId, reason);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);
