/** Tells whether the process lives. */
import { createRoute, z } from '@hono/zod-openapi';
import { jsonReply } from '../api/exchange.ts';
import { defineOperation } from '../api/operation.ts';

const LivenessSchema = z.object({ status: z.literal('ok') }).openapi('Liveness');

export const readLivenessOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/healthz',
    operationId: 'readLiveness',
    tags: ['Health'],
    summary: 'Is the process alive?',
    description: 'For whoever restarts it: looks at nothing else. Needs no token.',
    security: [],
    responses: { 200: jsonReply('It is.', LivenessSchema) },
  }),
  () => (c) => c.json({ status: 'ok' as const }, 200),
);
