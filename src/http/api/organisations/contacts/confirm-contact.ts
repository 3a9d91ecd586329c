/** Records that a contact of an organisation is right. */
import { createRoute, z } from '@hono/zod-openapi';
import { confirmContact } from '../../../../registry/organisations/contacts/confirm-contact.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../../exchange.ts';
import { defineOperation } from '../../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../../preconditions.ts';
import { TransitionReasonSchema } from '../../transition-schema.ts';
import { CONTACT_PARAMS, ContactSchema, contactBody } from './contact-schema.ts';

export const confirmContactOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/organisations/{organisationId}/contacts/{contactId}/confirm',
    operationId: 'confirmContact',
    tags: ['Organisations'],
    summary: 'Confirm a contact',
    description: `You reached whoever \`If-Match\` showed you, and the contact is right; \`reason\` says how you know. ${whoMayAsk('confirmContact')}`,
    security: BEARER,
    request: { params: CONTACT_PARAMS, headers: z.object(REQUIRED_IF_MATCH), body: jsonBody(TransitionReasonSchema) },
    responses: {
      200: jsonReply('The contact as it is now.', ContactSchema, ['ETag']),
      ...bodyProblems(404, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { organisationId, contactId } = c.req.valid('param');
      const contact = await confirmContact(
        changeContext(c.get('actor'), c.get('requestId')),
        organisationId,
        contactId,
        c.req.valid('json').reason,
        requiredVersion(c.req.valid('header')),
      );
      return c.json(contactBody(contact), 200, { ETag: entityTag(contact) });
    },
);
