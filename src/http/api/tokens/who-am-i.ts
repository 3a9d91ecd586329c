/** Tells the caller who they are to us. */
import { createRoute, z } from '@hono/zod-openapi';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { RoleSchema } from './token-schema.ts';

const WhoAmISchema = z
  .object({
    kind: z.enum(['token', 'operator', 'system', 'entity']),
    id: z.string().openapi({ example: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f' }),
    name: z.string().openapi({ example: 'registrar@federation.example' }),
    roles: z.array(RoleSchema),
    authorityIds: z.array(RecordIdSchema).nullable().openapi({ description: 'null: all authorities.' }),
    organisationIds: z
      .array(RecordIdSchema)
      .nullable()
      .openapi({ description: 'Of a member; null: of nobody in particular.' }),
    entityId: RecordIdSchema.nullable().openapi({
      description: 'Of the token of an entity, which reaches nothing else.',
    }),
  })
  .openapi('WhoAmI');

export const whoAmIOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/whoami',
    operationId: 'whoAmI',
    tags: ['Tokens'],
    summary: 'Show whose token this is',
    description: `Name, roles and reach of the token in use. ${whoMayAsk('whoAmI')}`,
    security: BEARER,
    responses: { 200: jsonReply('The token in use.', WhoAmISchema), ...problems() },
  }),
  () => (c) => {
    const { kind, id, name, roles, authorities, organisations, entityId = null } = c.get('actor');
    const authorityIds = authorities === 'all' ? null : [...authorities];
    const organisationIds = organisations === 'all' ? null : [...organisations];
    return c.json({ kind, id, name, roles: [...roles], authorityIds, organisationIds, entityId }, 200);
  },
);
