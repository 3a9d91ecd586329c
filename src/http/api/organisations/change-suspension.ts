/** Changes when the suspension of an organisation ends by itself. */
import { createRoute, z } from '@hono/zod-openapi';
import { changeOrganisationSuspension } from '../../../registry/organisations/change-suspension.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { SuspensionChangeSchema, suspensionChangeOfBody } from '../transition-schema.ts';
import { OrganisationSchema, organisationBody } from './organisation-schema.ts';

export const changeOrganisationSuspensionOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/organisations/{organisationId}/suspension',
    operationId: 'changeOrganisationSuspension',
    tags: ['Organisations'],
    summary: 'Change when a suspension ends',
    description: `Sooner, later, or not by itself; all else of the suspension stays. What is not suspended itself has none (\`illegal_transition\`). ${whoMayAsk('changeOrganisationSuspension')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(SuspensionChangeSchema),
    },
    responses: {
      200: jsonReply('The organisation as it is now.', OrganisationSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const organisation = await changeOrganisationSuspension(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').organisationId,
        suspensionChangeOfBody(c.req.valid('json')),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(organisationBody(organisation), 200, { ETag: entityTag(organisation) });
    },
);
