/** Lists entities. */
import { createRoute, z } from '@hono/zod-openapi';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import { listEntities } from '../../../registry/entities/read-entity.ts';
import { MIN_SEARCH_LENGTH } from '../../../registry/entities/search-entities.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { IdentifierFilterSchema, RecordIdSchema, StateSchema } from '../record-schema.ts';
import { line, TokenSchema } from '../text-schema.ts';
import { EntityPageSchema, listedEntityBody } from './entity-schema.ts';

/** Shorter ones would be looked for in every record. */
const SearchTextSchema = line(200).min(MIN_SEARCH_LENGTH).openapi({
  description:
    'Those with this text in their identifier, in a name or a description of their metadata, in whatever case.',
  example: 'university',
});

export const listEntitiesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities',
    operationId: 'listEntities',
    tags: ['Entities'],
    summary: 'List entities',
    description: `Those of the authorities that the token reaches, closed records too, oldest first. The evidence of the checks is in the single record. ${whoMayAsk('listEntities')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityIdentifier: IdentifierFilterSchema.optional(),
        state: StateSchema.optional().openapi({ description: "The entity's own state." }),
        entityType: line(200).optional().openapi({
          description:
            'Those that play this Entity Type, as their configuration says; before it was seen, as registered.',
          example: 'openid_provider',
        }),
        text: SearchTextSchema.optional(),
        mode: z.enum(ENTITY_MODES).optional(),
        environment: TokenSchema.optional(),
        onBehalfOf: RecordIdSchema.optional().openapi({ description: 'The organisation that they act for.' }),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of entities.', EntityPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listEntities(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(listedEntityBody), ...rest }, 200);
    },
);
