/** Removes a contact from an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeContact } from '../../../../registry/organisations/contacts/remove-contact.ts';
import { BEARER, problems, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { REQUIRED_IF_MATCH, requiredVersion } from '../../preconditions.ts';
import { CONTACT_PARAMS } from './contact-schema.ts';

export const removeContactOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/organisations/{organisationId}/contacts/{contactId}',
    operationId: 'removeContact',
    tags: ['Organisations'],
    summary: 'Remove a contact',
    description: `An active organisation keeps the contacts that its authority asks for (\`contact_missing\`). ${whoMayAsk('removeContact')}`,
    security: BEARER,
    request: { params: CONTACT_PARAMS, headers: z.object(REQUIRED_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 412, 422, 428) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { organisationId, contactId } = c.req.valid('param');
      await removeContact(
        changeContext(c.get('actor'), c.get('requestId')),
        organisationId,
        contactId,
        requiredVersion(c.req.valid('header')),
      );
      return c.body(null, 204);
    },
);
