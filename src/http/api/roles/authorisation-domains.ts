/** Adds, lists, reads and changes authorisation domains. */
import { createRoute, z } from '@hono/zod-openapi';
import { addAuthorisationDomain } from '../../../registry/roles/add-authorisation-domain.ts';
import { listAuthorisationDomains, readAuthorisationDomain } from '../../../registry/roles/authorisation-domain.ts';
import { updateAuthorisationDomain } from '../../../registry/roles/update-authorisation-domain.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  AuthorisationDomainChangesSchema,
  AuthorisationDomainPageSchema,
  AuthorisationDomainSchema,
  authorisationDomainBody,
  DomainNameSchema,
  NewAuthorisationDomainSchema,
} from './role-schema.ts';

const PATH = '/api/v1/authorisation-domains';

export const addAuthorisationDomainOperation = defineOperation(
  createRoute({
    method: 'post',
    path: PATH,
    operationId: 'addAuthorisationDomain',
    tags: ['Roles'],
    summary: 'Add an authorisation domain',
    description: `What roles belong to, such as open banking. In an authority each name is given once (\`authorisation_domain_exists\`). ${whoMayAsk('addAuthorisationDomain')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewAuthorisationDomainSchema) },
    responses: {
      201: jsonReply('The authorisation domain.', AuthorisationDomainSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { authorityId, ...fields } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const idempotency = idempotencyOf(c.req.valid('header'), request);
      const domain = await addAuthorisationDomain(context, authorityId, fields, idempotency);
      const headers = { ETag: entityTag(domain), Location: `${PATH}/${domain.id}` };
      return c.json(authorisationDomainBody(domain), 201, headers);
    },
);

export const listAuthorisationDomainsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: PATH,
    operationId: 'listAuthorisationDomains',
    tags: ['Roles'],
    summary: 'List authorisation domains',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listAuthorisationDomains')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        name: DomainNameSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of domains.', AuthorisationDomainPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listAuthorisationDomains(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(authorisationDomainBody), ...rest }, 200);
    },
);

export const readAuthorisationDomainOperation = defineOperation(
  createRoute({
    method: 'get',
    path: `${PATH}/{domainId}`,
    operationId: 'readAuthorisationDomain',
    tags: ['Roles'],
    summary: 'Read an authorisation domain',
    description: whoMayAsk('readAuthorisationDomain'),
    security: BEARER,
    request: { params: recordIdParam('domainId') },
    responses: {
      200: jsonReply('The authorisation domain.', AuthorisationDomainSchema, ['ETag']),
      ...problems(404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const domain = await readAuthorisationDomain(db, c.get('actor'), c.req.valid('param').domainId);
      return c.json(authorisationDomainBody(domain), 200, { ETag: entityTag(domain) });
    },
);

export const updateAuthorisationDomainOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: `${PATH}/{domainId}`,
    operationId: 'updateAuthorisationDomain',
    tags: ['Roles'],
    summary: 'Change an authorisation domain',
    description: `Each member given replaces the present one. ${whoMayAsk('updateAuthorisationDomain')}`,
    security: BEARER,
    request: {
      params: recordIdParam('domainId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(AuthorisationDomainChangesSchema),
    },
    responses: {
      200: jsonReply('The authorisation domain as it is now.', AuthorisationDomainSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const domain = await updateAuthorisationDomain(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').domainId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(authorisationDomainBody(domain), 200, { ETag: entityTag(domain) });
    },
);
