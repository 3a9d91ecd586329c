/** Jobs as the API shows them. */
import { z } from 'zod';

export const jobSchema = z.looseObject({
  name: z.string(),
  summary: z.string(),
  state: z.string(),
  everySeconds: z.number().nullable(),
  lastStartedAt: z.string().nullable(),
  lastSucceededAt: z.string().nullable(),
  lastFailedAt: z.string().nullable(),
  lastDurationMs: z.number().nullable(),
  failures: z.number(),
  lastError: z.string().nullable(),
  nextRunAt: z.string().nullable(),
  runningOn: z.string().nullable(),
});

export const jobListSchema = z.looseObject({ items: z.array(jobSchema) });
