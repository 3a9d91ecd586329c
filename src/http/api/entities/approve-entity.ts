/** Approves an entity on the evidence that was looked at. */
import { createRoute, z } from '@hono/zod-openapi';
import { approveEntity } from '../../../enrolment/decide-entity.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, seenVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { decisionOfBody, decisionSchema, transitionedBody } from '../transition-schema.ts';
import { entityBody, TransitionedEntitySchema } from './entity-schema.ts';

export const approveEntityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/approve',
    operationId: 'approveEntity',
    tags: ['Entities'],
    summary: 'Approve an entity',
    description: `\`If-Match\` names the version whose checks and evidence you looked at. The configuration is fetched once more: when it changed since, or the settings that it is judged by did, nothing is approved (\`evidence_changed\`) and the new evidence is kept. From the approval on the entity is vouched for. A dry run looks as well, and keeps nothing of it. ${whoMayAsk('approveEntity')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(decisionSchema('approve')),
    },
    responses: {
      200: jsonReply('The entity as it is now, and what is affected.', TransitionedEntitySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext, retrieveConfiguration }) =>
    async (c) => {
      const entity = await approveEntity(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').entityId,
        decisionOfBody(c.req.valid('json')),
        seenVersion(c.req.valid('header')),
        retrieveConfiguration,
      );
      return c.json({ ...entityBody(entity), ...transitionedBody(entity) }, 200, { ETag: entityTag(entity) });
    },
);
