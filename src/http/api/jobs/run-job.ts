/** Lets a job run next. */
import { createRoute, z } from '@hono/zod-openapi';
import { ACCESS } from '../../../registry/access.ts';
import { authorise } from '../../../registry/actor.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { findJob, JobNameSchema, JobSchema, jobBody } from './job-control.ts';

export const runJobOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/jobs/{job}/run',
    operationId: 'runJob',
    tags: ['Jobs'],
    summary: 'Run a job now',
    description: `Does not wait for its turn: some node begins it within seconds, and the job shows how that ended. One that runs right now, or goes on all the time, is \`illegal_transition\`. ${whoMayAsk('runJob')}`,
    security: BEARER,
    request: { params: z.object({ job: JobNameSchema }) },
    responses: { 202: jsonReply('It runs next.', JobSchema), ...problems(404, 409) },
  }),
  ({ jobs }) =>
    async (c) => {
      authorise(c.get('actor'), ACCESS.runJob.roles, null);
      const { job: name } = c.req.valid('param');
      await jobs.runNow(name);
      return c.json(jobBody(await findJob(jobs, name)), 202);
    },
);
