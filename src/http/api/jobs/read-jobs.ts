/** Shows what happens by itself, and how that fares. */
import { createRoute, z } from '@hono/zod-openapi';
import { ACCESS } from '../../../registry/access.ts';
import { authorise } from '../../../registry/actor.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { findJob, JobNameSchema, JobSchema, jobBody } from './job-control.ts';

export const listJobsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/jobs',
    operationId: 'listJobs',
    tags: ['Jobs'],
    summary: 'List what happens by itself',
    description: `Every job that the answering node is set up for: when it last ran and how that ended, when it runs next, and where it is at work. One node at a time does each; another takes it over when that dies. ${whoMayAsk('listJobs')}`,
    security: BEARER,
    responses: {
      200: jsonReply('All jobs, by their names.', z.object({ items: z.array(JobSchema) }).openapi('JobList')),
      ...problems(),
    },
  }),
  ({ jobs }) =>
    async (c) => {
      authorise(c.get('actor'), ACCESS.listJobs.roles, null);
      return c.json({ items: (await jobs.list()).map(jobBody) }, 200);
    },
);

export const readJobOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/jobs/{job}',
    operationId: 'readJob',
    tags: ['Jobs'],
    summary: 'Read how a job fares',
    description: whoMayAsk('readJob'),
    security: BEARER,
    request: { params: z.object({ job: JobNameSchema }) },
    responses: { 200: jsonReply('The job.', JobSchema), ...problems(404) },
  }),
  ({ jobs }) =>
    async (c) => {
      authorise(c.get('actor'), ACCESS.readJob.roles, null);
      return c.json(jobBody(await findJob(jobs, c.req.valid('param').job)), 200);
    },
);
