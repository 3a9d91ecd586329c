/** Changes a contact of an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateContact } from '../../../../registry/organisations/contacts/update-contact.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../../preconditions.ts';
import { CONTACT_PARAMS, ContactChangesSchema, ContactSchema, contactBody } from './contact-schema.ts';

export const updateContactOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/organisations/{organisationId}/contacts/{contactId}',
    operationId: 'updateContact',
    tags: ['Organisations'],
    summary: 'Change a contact',
    description: `Each member given replaces the present one. ${whoMayAsk('updateContact')}`,
    security: BEARER,
    request: { params: CONTACT_PARAMS, headers: z.object(REQUIRED_IF_MATCH), body: jsonBody(ContactChangesSchema) },
    responses: {
      200: jsonReply('The contact as it is now.', ContactSchema, ['ETag']),
      ...bodyProblems(404, 412, 422, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { organisationId, contactId } = c.req.valid('param');
      const contact = await updateContact(
        changeContext(c.get('actor'), c.get('requestId')),
        organisationId,
        contactId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(contactBody(contact), 200, { ETag: entityTag(contact) });
    },
);
