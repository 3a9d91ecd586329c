/** Tells the caller who they are to us. */
import { createRoute, z } from '@hono/zod-openapi';
import { BEARER, jsonReply, needsRole, problems } from '../exchange.ts';
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
  })
  .openapi('WhoAmI');

export const whoAmIOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/whoami',
    operationId: 'whoAmI',
    tags: ['Tokens'],
    summary: 'Show whose token this is',
    description: `Name, roles and authorities of the token in use. ${needsRole('any')}`,
    security: BEARER,
    responses: { 200: jsonReply('The token in use.', WhoAmISchema), ...problems() },
  }),
  () => (c) => {
    const { kind, id, name, roles, authorities } = c.get('actor');
    const authorityIds = authorities === 'all' ? null : [...authorities];
    return c.json({ kind, id, name, roles: [...roles], authorityIds }, 200);
  },
);
