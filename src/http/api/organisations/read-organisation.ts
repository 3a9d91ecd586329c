/** Reads an organisation. */
import { createRoute } from '@hono/zod-openapi';
import { readOrganisation } from '../../../registry/organisations/read-organisation.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { OrganisationSchema, organisationBody } from './organisation-schema.ts';

export const readOrganisationOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations/{organisationId}',
    operationId: 'readOrganisation',
    tags: ['Organisations'],
    summary: 'Read an organisation',
    description: `Its contacts, its state and what may be done with it. ${whoMayAsk('readOrganisation')}`,
    security: BEARER,
    request: { params: recordIdParam('organisationId') },
    responses: { 200: jsonReply('The organisation.', OrganisationSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const organisation = await readOrganisation(db, c.get('actor'), c.req.valid('param').organisationId);
      return c.json(organisationBody(organisation), 200, { ETag: entityTag(organisation) });
    },
);
