/** Tells how the service kept to its objectives. */
import { createRoute, z } from '@hono/zod-openapi';
import { readSlo, type Slo } from '../../../registry/slo/read-slo.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { TimeSchema } from '../text-schema.ts';

const BurnSchema = z
  .object({
    share: z.number().nullable().openapi({ description: '0 to 1; null: nothing to judge by.', example: 0.9993 }),
    burnRate: z.number().nullable().openapi({
      description: 'How many times as fast as the objective lets it the room for failures is used up.',
      example: 0.14,
    }),
  })
  .openapi('SloBurn');

const HoursSchema = z.int().openapi({ description: 'Length of the window.', example: 24 });

const AvailabilityWindowSchema = z
  .object({
    hours: HoursSchema,
    minutes: z.int().openapi({ example: 1440 }),
    readyMinutes: z.int().openapi({ description: 'In which some node was ready.', example: 1440 }),
    time: BurnSchema,
    requests: z.array(
      z.object({
        surface: z.enum(['federation', 'admission', 'api']),
        requests: z.int(),
        failures: z.int().openapi({
          description: 'Failed through us: not those that were refused, nor for others that cannot be reached.',
        }),
        burn: BurnSchema,
      }),
    ),
  })
  .openapi('AvailabilityWindow');

const PropagationWindowSchema = z
  .object({
    hours: HoursSchema,
    changes: z.int().openapi({ description: 'That take a permission away; of the last 20,000 rows of the audit.' }),
    inTime: z.int().openapi({ description: 'Times that an enforcement point was known to act on one in time.' }),
    late: z.int().openapi({ description: 'Times that one acknowledged too late, or was heard of and did not.' }),
    unknown: z.int().openapi({ description: 'Times that nobody asked there in time.' }),
    burn: BurnSchema,
  })
  .openapi('PropagationWindow');

const SloSchema = z
  .object({
    evaluatedAt: TimeSchema,
    since: TimeSchema.nullable().openapi({ description: 'The first hour of which anything is known.' }),
    availability: z.object({ objective: z.number(), windows: z.array(AvailabilityWindowSchema) }),
    propagation: z.object({
      objective: z.number(),
      objectiveMs: z.int(),
      windows: z.array(PropagationWindowSchema),
    }),
  })
  .openapi('Slo');

export const readSloOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/slo',
    operationId: 'readSlo',
    tags: ['Health'],
    summary: 'See how the service kept to its objectives',
    description: `Availability (99.5 %) by the minutes in which some node was ready, and by requests that failed through us, of all nodes and across restarts; and how quickly what takes a permission away reached enforcement points (99 % within 1 s). Judged by what nodes know: a request that reached none of them, or was lost on its way back, is not in it. Numbers are at most a minute old. ${whoMayAsk('readSlo')}`,
    security: BEARER,
    responses: { 200: jsonReply('Shares and burn rates.', SloSchema), ...problems() },
  }),
  ({ db, enforcementPoints }) =>
    async (c) =>
      c.json(sloBody(await readSlo(db, c.get('actor'), new Date(enforcementPoints.clock.now() * 1000))), 200),
);

function sloBody({ evaluatedAt, since, ...slo }: Slo): z.infer<typeof SloSchema> {
  return { ...slo, evaluatedAt: evaluatedAt.toISOString(), since: since?.toISOString() ?? null };
}
