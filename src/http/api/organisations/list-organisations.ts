/** Lists organisations. */
import { createRoute, z } from '@hono/zod-openapi';
import { listOrganisations } from '../../../registry/organisations/read-organisation.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema, StateSchema } from '../record-schema.ts';
import { TokenSchema } from '../text-schema.ts';
import {
  CountrySchema,
  OrganisationPageSchema,
  organisationBody,
  RegistrationNumberSchema,
} from './organisation-schema.ts';

export const listOrganisationsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations',
    operationId: 'listOrganisations',
    tags: ['Organisations'],
    summary: 'List organisations',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listOrganisations')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        state: StateSchema.optional(),
        tag: TokenSchema.optional().openapi({ description: 'Those that have this tag.' }),
        parentId: RecordIdSchema.optional(),
        registrationNumber: RegistrationNumberSchema.optional(),
        registrationCountry: CountrySchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of organisations.', OrganisationPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listOrganisations(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(organisationBody), ...rest }, 200);
    },
);
