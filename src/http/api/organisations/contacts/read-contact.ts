/** Reads a contact of an organisation. */
import { createRoute } from '@hono/zod-openapi';
import { readContact } from '../../../../registry/organisations/contacts/read-contact.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { entityTag } from '../../preconditions.ts';
import { CONTACT_PARAMS, ContactSchema, contactBody } from './contact-schema.ts';

export const readContactOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations/{organisationId}/contacts/{contactId}',
    operationId: 'readContact',
    tags: ['Organisations'],
    summary: 'Read a contact',
    description: `Whom to reach, and when that was last confirmed. ${whoMayAsk('readContact')}`,
    security: BEARER,
    request: { params: CONTACT_PARAMS },
    responses: { 200: jsonReply('The contact.', ContactSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const { organisationId, contactId } = c.req.valid('param');
      const contact = await readContact(db, c.get('actor'), organisationId, contactId);
      return c.json(contactBody(contact), 200, { ETag: entityTag(contact) });
    },
);
