/** Changes what is known about an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateOrganisation } from '../../../registry/organisations/update-organisation.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { OrganisationChangesSchema, OrganisationSchema, organisationBody } from './organisation-schema.ts';

export const updateOrganisationOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/organisations/{organisationId}',
    operationId: 'updateOrganisation',
    tags: ['Organisations'],
    summary: 'Change an organisation',
    description: `Each member given replaces the present one; contacts are changed one by one. ${whoMayAsk('updateOrganisation')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(OrganisationChangesSchema),
    },
    responses: {
      200: jsonReply('The organisation as it is now.', OrganisationSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const organisation = await updateOrganisation(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').organisationId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(organisationBody(organisation), 200, { ETag: entityTag(organisation) });
    },
);
