/** Lists the contacts of an organisation. */
import { createRoute, z } from '@hono/zod-openapi';
import { listContacts } from '../../../../registry/organisations/contacts/read-contact.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { PAGE_PARAMETERS } from '../../paging.ts';
import { recordIdParam } from '../../record-schema.ts';
import { ContactPageSchema, ContactTypeSchema, contactBody } from './contact-schema.ts';

export const listContactsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/organisations/{organisationId}/contacts',
    operationId: 'listContacts',
    tags: ['Organisations'],
    summary: 'List the contacts of an organisation',
    description: `Those that were not removed, oldest first. ${whoMayAsk('listContacts')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      query: z.strictObject({ type: ContactTypeSchema.optional(), ...PAGE_PARAMETERS }),
    },
    responses: { 200: jsonReply('A page of contacts.', ContactPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { organisationId } = c.req.valid('param');
      const { items, ...rest } = await listContacts(db, c.get('actor'), organisationId, filter, { limit, cursor });
      return c.json({ items: items.map(contactBody), ...rest }, 200);
    },
);
