/** Tells whether this node may be sent requests. */
import { createRoute, z } from '@hono/zod-openapi';
import { jsonReply } from '../api/exchange.ts';
import { defineOperation } from '../api/operation.ts';

const ReadinessSchema = z
  .object({
    status: z.enum(['ready', 'unavailable']),
    seq: z.int().openapi({ description: 'The last change of the registry that this node shows.', example: 42 }),
  })
  .openapi('Readiness');

export const readReadinessOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/readyz',
    operationId: 'readReadiness',
    tags: ['Health'],
    summary: 'Is this node ready?',
    description:
      'For whoever balances load: the database answers, and what this node shows is current. Needs no token.',
    security: [],
    responses: {
      200: jsonReply('It is.', ReadinessSchema),
      503: jsonReply('Not now; nobody is vouched for meanwhile.', ReadinessSchema),
    },
  }),
  ({ readiness }) =>
    async (c) => {
      const { ready, seq } = await readiness();
      return ready
        ? c.json({ status: 'ready' as const, seq }, 200)
        : c.json({ status: 'unavailable' as const, seq }, 503);
    },
);
