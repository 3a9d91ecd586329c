/** Tells how far a change has come. */
import { createRoute, z } from '@hono/zod-openapi';
import { type Propagation, readPropagation } from '../../../registry/propagation/read-propagation.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema } from '../text-schema.ts';
import { CanaryTrialSchema, canaryTrialBody } from './canary-trial-schema.ts';

const LagSchema = z.number().nonnegative().openapi({ description: 'Milliseconds.', example: 84 });

const PointPropagationSchema = z
  .object({
    enforcementPointId: RecordIdSchema,
    name: NameSchema,
    authorityId: RecordIdSchema,
    acknowledgedAt: TimeSchema.nullable().openapi({
      description: 'When it was first known to act on this change or a later one; null: it waits.',
    }),
    lagMs: LagSchema.nullable(),
    via: z.enum(['call', 'stream']).nullable().openapi({ description: 'By its calls, or because it said so.' }),
    lastSeenAt: TimeSchema.nullable(),
    lastSeenSecondsAgo: z.number().nullable().openapi({ example: 3.2 }),
    canary: CanaryTrialSchema.nullable(),
  })
  .openapi('PointPropagation');

const PropagationSchema = z
  .object({
    seq: z.int().openapi({ example: 42 }),
    writtenAt: TimeSchema.openapi({ description: 'All times are those of the clock of the database.' }),
    evaluatedAt: TimeSchema,
    acknowledged: z.int().openapi({ description: 'How many enforcement points act on it.', example: 3 }),
    p50LagMs: LagSchema.nullable(),
    p95LagMs: LagSchema.nullable(),
    worstLagMs: LagSchema.nullable(),
    laggards: z.array(RecordIdSchema).openapi({ description: 'Those that wait.' }),
    points: z.array(PointPropagationSchema).openapi({ description: 'Those that wait first, then the slowest first.' }),
  })
  .openapi('Propagation');

/** A `seq`, or the last one. */
const WhichSchema = z
  .string()
  .regex(/^(?:latest|\d{1,15})$/, 'is the number of a change, or latest')
  .openapi({ example: 'latest' });

export const readPropagationOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/propagation/{seq}',
    operationId: 'readPropagation',
    tags: ['Admission'],
    summary: 'See how far a change has come',
    description: `Which active enforcement points act on a change of the registry, and how long that took from when it was written: by the first call that was answered with it or with a later one, or by what they acknowledged. Those that came, or came back, after the change are left out. Known for 30 days; a change that concerns neither an authority in reach nor the deployment is not found, and \`latest\` is the last that does. ${whoMayAsk('readPropagation')}`,
    security: BEARER,
    request: {
      params: z.object({ seq: WhichSchema }),
      query: z.strictObject({ authorityId: RecordIdSchema.optional() }),
    },
    responses: { 200: jsonReply('How far it has come.', PropagationSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { seq } = c.req.valid('param');
      const { authorityId } = c.req.valid('query');
      const asked = seq === 'latest' ? seq : Number(seq);
      return c.json(propagationBody(await readPropagation(db, c.get('actor'), asked, authorityId)), 200);
    },
);

function propagationBody({ points, writtenAt, evaluatedAt, ...rest }: Propagation): z.infer<typeof PropagationSchema> {
  return {
    ...rest,
    writtenAt: writtenAt.toISOString(),
    evaluatedAt: evaluatedAt.toISOString(),
    points: points.map(({ acknowledgedAt, lastSeenAt, canary, ...point }) => ({
      ...point,
      acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
      lastSeenAt: lastSeenAt?.toISOString() ?? null,
      lastSeenSecondsAgo: lastSeenAt && Math.max(0, evaluatedAt.getTime() - lastSeenAt.getTime()) / 1000,
      canary: canary && canaryTrialBody(canary),
    })),
  };
}
