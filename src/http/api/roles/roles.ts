/** Adds, lists, reads and changes roles. */
import { createRoute, z } from '@hono/zod-openapi';
import { addRole } from '../../../registry/roles/add-role.ts';
import { listRoles, readRole } from '../../../registry/roles/role.ts';
import { updateRole } from '../../../registry/roles/update-role.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  affectedBody,
  ChangedRoleSchema,
  NewRoleSchema,
  RoleChangesSchema,
  RoleNameSchema,
  RolePageSchema,
  RoleSchema,
  RoleStateSchema,
  roleBody,
} from './role-schema.ts';

const PATH = '/api/v1/roles';

export const addRoleOperation = defineOperation(
  createRoute({
    method: 'post',
    path: PATH,
    operationId: 'addRole',
    tags: ['Roles'],
    summary: 'Add a role',
    description: `To an authorisation domain, where each name is given once (\`role_exists\`). ${whoMayAsk('addRole')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewRoleSchema) },
    responses: {
      201: jsonReply('The role.', RoleSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const role = await addRole(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('json'),
        idempotencyOf(c.req.valid('header'), request),
      );
      return c.json(roleBody(role), 201, { ETag: entityTag(role), Location: `${PATH}/${role.id}` });
    },
);

export const listRolesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: PATH,
    operationId: 'listRoles',
    tags: ['Roles'],
    summary: 'List roles',
    description: `Those of the authorities that the token reaches, oldest first. ${whoMayAsk('listRoles')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        domainId: RecordIdSchema.optional(),
        name: RoleNameSchema.optional(),
        state: RoleStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of roles.', RolePageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listRoles(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(roleBody), ...rest }, 200);
    },
);

export const readRoleOperation = defineOperation(
  createRoute({
    method: 'get',
    path: `${PATH}/{roleId}`,
    operationId: 'readRole',
    tags: ['Roles'],
    summary: 'Read a role',
    description: whoMayAsk('readRole'),
    security: BEARER,
    request: { params: recordIdParam('roleId') },
    responses: { 200: jsonReply('The role.', RoleSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const role = await readRole(db, c.get('actor'), c.req.valid('param').roleId);
      return c.json(roleBody(role), 200, { ETag: entityTag(role) });
    },
);

export const updateRoleOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: `${PATH}/{roleId}`,
    operationId: 'updateRole',
    tags: ['Roles'],
    summary: 'Change a role',
    description: `Each member given replaces the present one; the statements about its holders follow at once. A policy that does not go with what is said about one of them is refused (\`policy_conflict\`, with \`place\`, \`operator\` and \`entity\`); \`dryRun\` tells before. ${whoMayAsk('updateRole')}`,
    security: BEARER,
    request: {
      params: recordIdParam('roleId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(RoleChangesSchema),
    },
    responses: {
      200: jsonReply('The role as it is now, and whom the change concerns.', ChangedRoleSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { dryRun, ...changes } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const options = { expectedVersion: requiredVersion(c.req.valid('header')), isDryRun: dryRun };
      const { role, affected } = await updateRole(context, c.req.valid('param').roleId, changes, options);
      return c.json({ ...roleBody(role), ...affectedBody(affected) }, 200, { ETag: entityTag(role) });
    },
);
