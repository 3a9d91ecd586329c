/** Adds a contact to an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { addContact } from '../../../../registry/organisations/contacts/add-contact.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../../idempotency.ts';
import { defineOperation } from '../../operation.ts';
import { entityTag } from '../../preconditions.ts';
import { recordIdParam } from '../../record-schema.ts';
import { ContactSchema, contactBody, NewContactSchema } from './contact-schema.ts';

export const addContactOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations/{organisationId}/contacts',
    operationId: 'addContact',
    tags: ['Organisations'],
    summary: 'Add a contact',
    description: `Nobody has confirmed it yet. ${whoMayAsk('addContact')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      headers: z.object(IDEMPOTENCY_KEY),
      body: jsonBody(NewContactSchema),
    },
    responses: {
      201: jsonReply('The contact.', ContactSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { organisationId } = c.req.valid('param');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const contact = await addContact(
        changeContext(c.get('actor'), c.get('requestId')),
        organisationId,
        c.req.valid('json'),
        idempotencyOf(c.req.valid('header'), request),
      );
      const location = `/api/v1/organisations/${organisationId}/contacts/${contact.id}`;
      return c.json(contactBody(contact), 201, { ETag: entityTag(contact), Location: location });
    },
);
