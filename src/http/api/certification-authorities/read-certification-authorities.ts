/** Reads certification authorities. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  listCertificationAuthorities,
  readCertificationAuthority,
} from '../../../registry/certification/read-certification-authority.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  CertificationAuthorityPageSchema,
  CertificationAuthoritySchema,
  CertificationAuthorityStateSchema,
  certificationAuthorityBody,
} from './certification-authority-schema.ts';

export const listCertificationAuthoritiesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/certification-authorities',
    operationId: 'listCertificationAuthorities',
    tags: ['Certification authorities'],
    summary: 'List certification authorities',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listCertificationAuthorities')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        state: CertificationAuthorityStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: {
      200: jsonReply('A page of certification authorities.', CertificationAuthorityPageSchema),
      ...problems(400, 404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const page = await listCertificationAuthorities(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ ...page, items: page.items.map(certificationAuthorityBody) }, 200);
    },
);

export const readCertificationAuthorityOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/certification-authorities/{certificationAuthorityId}',
    operationId: 'readCertificationAuthority',
    tags: ['Certification authorities'],
    summary: 'Read a certification authority',
    description: whoMayAsk('readCertificationAuthority'),
    security: BEARER,
    request: { params: recordIdParam('certificationAuthorityId') },
    responses: {
      200: jsonReply('The certification authority.', CertificationAuthoritySchema, ['ETag']),
      ...problems(404),
    },
  }),
  ({ db }) =>
    async (c) => {
      const { certificationAuthorityId } = c.req.valid('param');
      const record = await readCertificationAuthority(db, c.get('actor'), certificationAuthorityId);
      return c.json(certificationAuthorityBody(record), 200, { ETag: entityTag(record) });
    },
);
