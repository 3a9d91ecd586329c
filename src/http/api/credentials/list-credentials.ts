/** Lists credentials: all in reach, or one entity's with its Federation Entity Keys. */
import { createRoute, z } from '@hono/zod-openapi';
import { listCredentials } from '../../../registry/credentials/read-credential.ts';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import { readEntityKeys } from '../../../registry/entities/keys/read-entity-keys.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import { TokenSchema } from '../text-schema.ts';
import {
  CredentialKindSchema,
  CredentialPageSchema,
  CredentialPossessionSchema,
  CredentialStateSchema,
  CredentialUsageSchema,
  EntityCredentialsSchema,
  FingerprintSchema,
  federationKeyBody,
  listedCredentialBody,
} from './credential-schema.ts';

const MAX_DAYS = 3650;

const FILTERS = {
  kind: CredentialKindSchema.optional(),
  usage: CredentialUsageSchema.optional(),
  state: CredentialStateSchema.optional(),
  possession: CredentialPossessionSchema.optional(),
  isLive: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .openapi({ type: 'boolean', description: 'Whether it counts: itself, its entity and its organisation.' }),
  kid: z.string().min(1).max(512).optional(),
  x5tS256: FingerprintSchema.optional().openapi({ description: '`x5t#S256` of the certificate.' }),
  spkiSha256: FingerprintSchema.optional().openapi({ description: 'SHA-256 of the SubjectPublicKeyInfo, base64url.' }),
  expiresWithinDays: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'is a whole number of days above 0')
    .transform(Number)
    .refine((days) => days <= MAX_DAYS, `is at most ${MAX_DAYS}`)
    .optional()
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: MAX_DAYS,
      description: 'Those that may count yet and end by then.',
    }),
};

export const listCredentialsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/credentials',
    operationId: 'listCredentials',
    tags: ['Credentials'],
    summary: 'List credentials',
    description: `Certificates and keys in reach of the token, those that count no more too, oldest first. With \`x5tS256\`: whose a certificate is. ${whoMayAsk('listCredentials')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityId: RecordIdSchema.optional(),
        mode: z.enum(ENTITY_MODES).optional(),
        environment: TokenSchema.optional(),
        ...FILTERS,
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of credentials.', CredentialPageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listCredentials(db, actor, filter, { limit, cursor }, now);
      return c.json({ items: items.map((credential) => listedCredentialBody(credential, now)), ...rest }, 200);
    },
);

export const listEntityCredentialsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities/{entityId}/credentials',
    operationId: 'listEntityCredentials',
    tags: ['Credentials'],
    summary: 'List the credentials of an entity',
    description: `All that it has and had, oldest first, and its Federation Entity Keys. ${whoMayAsk('listEntityCredentials')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), query: z.strictObject({ ...FILTERS, ...PAGE_PARAMETERS }) },
    responses: { 200: jsonReply('A page of its credentials.', EntityCredentialsSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { entityId } = c.req.valid('param');
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { keys } = await readEntityKeys(db, actor, entityId);
      const { items, ...rest } = await listCredentials(db, actor, { ...filter, entityId }, { limit, cursor }, now);
      const body = {
        items: items.map((credential) => listedCredentialBody(credential, now)),
        federationKeys: keys.map((key) => federationKeyBody(key, now)),
      };
      return c.json({ ...body, ...rest }, 200);
    },
);
