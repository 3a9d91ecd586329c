/** Fetches the configuration of an entity again and takes in its keys. */
import { createRoute, z } from '@hono/zod-openapi';
import { refreshEntity } from '../../../enrolment/refresh-entity.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';

const RefreshSchema = z
  .object({
    outcome: z.enum(['followed', 'unchanged', 'older', 'unknown_key', 'unavailable', 'invalid']).openapi({
      description: '`followed`: it was taken in. All others raise or leave a finding, or were taken in before.',
    }),
    detail: z.string().nullable().openapi({ description: 'Why, when nothing was taken in.' }),
    proposed: z.array(z.string()).openapi({ description: '`kid`s that wait for a registrar since now.' }),
    added: z.array(z.string()).openapi({ description: '`kid`s that are registered since now.' }),
  })
  .openapi('EntityRefresh');

export const refreshEntityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/refresh',
    operationId: 'refreshEntity',
    tags: ['Entities'],
    summary: 'Fetch its configuration again',
    description: `Takes in what the Entity Configuration of an active entity says about its keys: new ones are proposed, or registered if the authority has it so; none is removed. Only a configuration that a registered key signed counts; any other raises a finding. ${whoMayAsk('refreshEntity')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: { 200: jsonReply('What came of it.', RefreshSchema), ...problems(400, 404, 409) },
  }),
  ({ changeContext, retrieveConfiguration }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      return c.json(await refreshEntity(context, c.req.valid('param').entityId, retrieveConfiguration), 200);
    },
);
