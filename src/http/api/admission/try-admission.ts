/** Says what an enforcement point would be answered, to people who look for the reason. */
import { createRoute, z } from '@hono/zod-openapi';
import { ACCESS } from '../../../registry/access.ts';
import { notFound, reaches, requireRole } from '../../../registry/actor.ts';
import {
  AdmissionDecisionSchema,
  AdmissionQuerySchema,
  AdmissionRequestSchema,
  decisionBody,
  presentedRequest,
} from '../../admission/admission-body.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';

const TrialSchema = AdmissionDecisionSchema.extend({
  isTrial: z.literal(true).openapi({ description: 'Nobody is let in by it.' }),
}).openapi('AdmissionTrial');

export const tryAdmissionOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enforcement-points/{enforcementPointId}/admission',
    operationId: 'tryAdmission',
    tags: ['Admission'],
    summary: 'Try what an enforcement point would be answered',
    description: `The same question at the same place, decided in the same way; it stands in no log of decisions, and acknowledges nothing. ${whoMayAsk('tryAdmission')}`,
    security: BEARER,
    request: {
      params: recordIdParam('enforcementPointId'),
      body: jsonBody(AdmissionRequestSchema),
      query: AdmissionQuerySchema.pick({ explain: true }),
    },
    responses: { 200: jsonReply('What would be answered.', TrialSchema), ...bodyProblems(404) },
  }),
  ({ admission }) =>
    async (c) => {
      requireRole(c.get('actor'), ACCESS.tryAdmission.roles);
      const { enforcementPointId } = c.req.valid('param');
      const point = admission.state.enforcementPoint(enforcementPointId);
      if (point === undefined || !reaches(c.get('actor'), point.authorityId)) {
        throw notFound('enforcement point', enforcementPointId);
      }
      const isExplained = c.req.valid('query').explain === '1';
      const decision = await admission.consider(point, { ...presentedRequest(c.req.valid('json')), isExplained });
      return c.json({ ...decisionBody(decision), isTrial: true as const }, 200);
    },
);
