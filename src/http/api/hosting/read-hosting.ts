/** Shows how an entity is hosted. */
import { createRoute } from '@hono/zod-openapi';
import { readHosting } from '../../../registry/hosting/read-hosting.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { HostingSchema, hostingBody } from './hosting-schema.ts';

export const readHostingOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities/{entityId}/hosting',
    operationId: 'readHosting',
    tags: ['Hosted entities'],
    summary: 'Show how an entity is hosted',
    description: `What its Entity Configuration says, who signs it, and the keys that are kept for it. ${whoMayAsk('readHosting')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: { 200: jsonReply('How it is hosted.', HostingSchema), ...problems(400, 404, 409) },
  }),
  ({ db }) =>
    async (c) => {
      const hosting = await readHosting(db, c.get('actor'), c.req.valid('param').entityId);
      return c.json(hostingBody(hosting), 200);
    },
);
