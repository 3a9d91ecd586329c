/** Adds an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { addOrganisation } from '../../../registry/organisations/add-organisation.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { NewOrganisationSchema, OrganisationSchema, organisationBody } from './organisation-schema.ts';

export const addOrganisationOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations',
    operationId: 'addOrganisation',
    tags: ['Organisations'],
    summary: 'Add an organisation',
    description: `It is pending, with nobody's word for its contacts; its entities can be enrolled, and approved once it is active itself. ${whoMayAsk('addOrganisation')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewOrganisationSchema) },
    responses: {
      201: jsonReply('The organisation.', OrganisationSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { authorityId, ...fields } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const organisation = await addOrganisation(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        fields,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(organisation), Location: `/api/v1/organisations/${organisation.id}` };
      return c.json(organisationBody(organisation), 201, headers);
    },
);
