/** What happens by itself, as far as operators see and steer it. */
import { z } from '@hono/zod-openapi';
import { RegistryError } from '../../../registry/registry-error.ts';
import { TimeSchema } from '../text-schema.ts';

export interface JobReport {
  name: string;
  summary: string;
  everySeconds: number | null;
  lastStartedAt: Date | null;
  lastSucceededAt: Date | null;
  lastFailedAt: Date | null;
  lastDurationMs: number | null;
  failures: number;
  lastError: string | null;
  nextRunAt: Date | null;
  runningOn: string | null;
  held: number;
  state: 'waiting' | 'running' | 'failing';
}

export interface JobControl {
  /** All that this node knows, by their names. */
  list: () => Promise<JobReport[]>;
  /** @throws RegistryError not_found, illegal_transition */
  runNow: (name: string) => Promise<void>;
}

export const JobNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'is the name of a job, such as `refresh_configurations`')
  .openapi({ example: 'refresh_configurations' });

export const JobSchema = z
  .object({
    name: JobNameSchema,
    summary: z.string(),
    state: z.enum(['waiting', 'running', 'failing']).openapi({
      description: '`failing`: the last turn failed, and it waits for the next.',
    }),
    everySeconds: z.int().nullable().openapi({
      description: 'From the end of one turn to the next; more after failures. Null: it goes on all the time.',
      example: 10,
    }),
    lastStartedAt: TimeSchema.nullable(),
    lastSucceededAt: TimeSchema.nullable().openapi({
      description:
        'Of what goes on all the time: when a part of it last went well, such as one delivery; null: none on record.',
    }),
    lastFailedAt: TimeSchema.nullable(),
    lastDurationMs: z.int().nullable(),
    failures: z.int().openapi({ description: 'In a row, until now.' }),
    lastError: z.string().nullable().openapi({ description: 'Of the last failure, also after a success.' }),
    nextRunAt: TimeSchema.nullable(),
    runningOn: z.string().nullable().openapi({ description: 'The node: its host name and process.' }),
    heldHere: z.int().openapi({ description: 'Turns under way at the node that answers.' }),
  })
  .openapi('Job');

export function jobBody({ held, ...job }: JobReport): z.infer<typeof JobSchema> {
  return {
    ...job,
    lastStartedAt: job.lastStartedAt?.toISOString() ?? null,
    lastSucceededAt: job.lastSucceededAt?.toISOString() ?? null,
    lastFailedAt: job.lastFailedAt?.toISOString() ?? null,
    nextRunAt: job.nextRunAt?.toISOString() ?? null,
    heldHere: held,
  };
}

/** @throws RegistryError not_found */
export async function findJob(jobs: JobControl, name: string): Promise<JobReport> {
  const job = (await jobs.list()).find((one) => one.name === name);
  if (job === undefined) throw new RegistryError('not_found', `there is no job ${name}`);
  return job;
}
