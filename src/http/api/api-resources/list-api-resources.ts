/** Lists API resources. */
import { createRoute, z } from '@hono/zod-openapi';
import { listApiResources } from '../../../registry/api-resources/read-api-resource.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { OfferStateSchema } from '../offer-schema.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import {
  ApiResourcePageSchema,
  apiResourceBody,
  CertificationStatusSchema,
  FamilySchema,
} from './api-resource-schema.ts';

export const listApiResourcesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/api-resources',
    operationId: 'listApiResources',
    tags: ['APIs'],
    summary: 'List versions of APIs',
    description: `Those of the authorities that the token reaches, oldest first; what is offered no more only with \`state=retired\` or \`state=removed\`. ${whoMayAsk('listApiResources')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        authorizationServerId: RecordIdSchema.optional(),
        family: FamilySchema.optional(),
        certificationStatus: CertificationStatusSchema.optional(),
        state: OfferStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of API resources.', ApiResourcePageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listApiResources(db, actor, filter, { limit, cursor }, now);
      return c.json({ items: items.map((api) => apiResourceBody(api, now)), ...rest }, 200);
    },
);
