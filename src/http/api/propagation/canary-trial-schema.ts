/** What became of a member that is always suspended, where it knocked. */
import { z } from '@hono/zod-openapi';
import type { CanaryTrial } from '../../../registry/canary/canary-trials.ts';
import { TimeSchema } from '../text-schema.ts';

export const CanaryTrialSchema = z
  .object({
    outcome: z.enum(['refused', 'admitted', 'unclear']).openapi({
      description: '`refused` is right; `admitted` is an alarm: somebody suspended came in; `unclear` tells neither.',
    }),
    status: z.int().nullable().openapi({ description: 'Of the HTTP response; null: there was none.', example: 403 }),
    detail: z.string(),
    triedAt: TimeSchema,
  })
  .openapi('CanaryTrial');

export function canaryTrialBody({ triedAt, ...trial }: CanaryTrial): z.infer<typeof CanaryTrialSchema> {
  return { ...trial, triedAt: triedAt.toISOString() };
}
