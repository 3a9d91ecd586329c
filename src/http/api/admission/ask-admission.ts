/** Says whether whoever connects is admitted at an enforcement point. Most of it is answered by `admission-door.ts`, in the same way. */
import type { IncomingMessage } from 'node:http';
import { createRoute, z } from '@hono/zod-openapi';
import { answerAdmission } from '../../admission/admission-answer.ts';
import {
  AdmissionDecisionSchema,
  AdmissionQuerySchema,
  AdmissionRequestSchema,
  presentedRequest,
} from '../../admission/admission-body.ts';
import { ADMISSION_PATH } from '../../admission/admission-door.ts';
import { requireEnforcementPoint } from '../../admission/enforcement-point-caller.ts';
import { bodyProblems, jsonBody } from '../exchange.ts';
import { defineOperation } from '../operation.ts';

const DESCRIPTION = `For enforcement points, which prove who they are: by the token of the record in \`Holdfast-Enforcement-Point\`, by their client certificate, or by the socket that is their own; no token of the API counts. Authority, mode, environment, and the API where the record has one, are those of the record. Whatever cannot be mapped to an active participant is denied, with stable reasons. A deny is an answer like any other: 200. Where this node has not heard from the registry for longer than the record allows, everybody is denied (\`state_stale\`). Of one enforcement point, eight decisions are signed at a time: 429 for more.`;

export const askAdmissionOperation = defineOperation(
  createRoute({
    method: 'post',
    path: ADMISSION_PATH,
    operationId: 'askAdmission',
    tags: ['Admission'],
    summary: 'Ask whether somebody is admitted',
    description: DESCRIPTION,
    security: [],
    request: { body: jsonBody(AdmissionRequestSchema), query: AdmissionQuerySchema },
    responses: {
      200: {
        description: 'The decision.',
        content: {
          'application/json': { schema: AdmissionDecisionSchema },
          'application/jwt': { schema: z.string().openapi({ description: 'With `signed=1`.' }) },
        },
      },
      ...bodyProblems(429),
    },
  }),
  ({ admission, signAdmissionDecision: sign, enforcementPoints }) =>
    async (c) => {
      const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
      const asking = incoming ?? { rawHeaders: [...c.req.raw.headers].flat() };
      const point = requireEnforcementPoint(asking, admission.state, enforcementPoints.clock.now());
      const { explain, signed } = c.req.valid('query');
      const request = { ...presentedRequest(c.req.valid('json')), isExplained: explain === '1' };
      const { contentType, body } = await answerAdmission({ admission, sign }, point, request, signed === '1');
      return c.body(body, 200, { 'content-type': contentType });
    },
);
