/** Lists enrolments, and shows one. */
import { createRoute, z } from '@hono/zod-openapi';
import { listEnrolments, readEnrolment } from '../../../enrolment/flow/read-enrolment.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag } from '../preconditions.ts';
import { IdentifierFilterSchema, RecordIdSchema } from '../record-schema.ts';
import {
  ENROLMENT_PARAMS,
  EnrolmentPageSchema,
  EnrolmentSchema,
  EnrolmentStateSchema,
  enrolmentBody,
} from './enrolment-schema.ts';

export const listEnrolmentsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/enrolments',
    operationId: 'listEnrolments',
    tags: ['Enrolments'],
    summary: 'List enrolments',
    description: `Those in reach of the token, closed ones too, oldest first. ${whoMayAsk('listEnrolments')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityIdentifier: IdentifierFilterSchema.optional(),
        state: EnrolmentStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of enrolments.', EnrolmentPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listEnrolments(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(enrolmentBody), ...rest }, 200);
    },
);

export const readEnrolmentOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/enrolments/{enrolmentId}',
    operationId: 'readEnrolment',
    tags: ['Enrolments'],
    summary: 'Show an enrolment',
    description: `With what each step found. ${whoMayAsk('readEnrolment')}`,
    security: BEARER,
    request: { params: ENROLMENT_PARAMS },
    responses: { 200: jsonReply('The enrolment.', EnrolmentSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const enrolment = await readEnrolment(db, c.get('actor'), c.req.valid('param').enrolmentId);
      return c.json(enrolmentBody(enrolment), 200, { ETag: entityTag(enrolment) });
    },
);
