/** Gives roles to entities, lists them and takes them away. */
import { createRoute, z } from '@hono/zod-openapi';
import { listEntityRoles, readEntityRole } from '../../../registry/roles/entity-role.ts';
import { giveRole } from '../../../registry/roles/give-role.ts';
import { takeRole } from '../../../registry/roles/take-role.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  EntityRolePageSchema,
  EntityRoleSchema,
  EntityRolesSchema,
  entityRoleBody,
  entityRolesBody,
  NewEntityRoleSchema,
  RoleRemovalSchema,
} from './role-assignment-schema.ts';

const PATH = '/api/v1/entities/{entityId}/roles';
const ONE = recordIdParam('entityId').extend(recordIdParam('entityRoleId').shape);

export const giveEntityRoleOperation = defineOperation(
  createRoute({
    method: 'post',
    path: PATH,
    operationId: 'giveEntityRole',
    tags: ['Roles'],
    summary: 'Give a role to an entity',
    description: `One that its organisation holds (\`role_not_held\`). The Subordinate Statement follows at once; where the role's policy does not go with what is said already: \`policy_conflict\`, with \`place\`, \`operator\` and \`entity\`. \`dryRun\` shows the policy that would come of it. \`If-Match\` is that of the entity. ${whoMayAsk('giveEntityRole')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(NewEntityRoleSchema),
    },
    responses: {
      200: jsonReply('What its roles come to.', EntityRolesSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { entityId } = c.req.valid('param');
      const { roleId, dryRun } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const options = { expectedVersion: expectedVersion(c.req.valid('header')), isDryRun: dryRun };
      const roles = await giveRole(context, entityId, roleId, options);
      return c.json(entityRolesBody(entityId, roles), 200, { ETag: entityTag(roles) });
    },
);

export const listEntityRolesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: PATH,
    operationId: 'listEntityRoles',
    tags: ['Roles'],
    summary: 'List the roles of an entity',
    description: `Oldest first, with those that are locked; those removed only with \`removed=true\`. ${whoMayAsk('listEntityRoles')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      query: z.strictObject({ removed: z.enum(['true', 'false']).optional(), ...PAGE_PARAMETERS }),
    },
    responses: { 200: jsonReply('A page of roles.', EntityRolePageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { actor, now } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, removed } = c.req.valid('query');
      const filter = { isRemoved: removed === 'true' };
      const page = await listEntityRoles(db, actor, c.req.valid('param').entityId, filter, { limit, cursor });
      const { items, ...rest } = page;
      return c.json({ items: items.map((role) => entityRoleBody(role, now)), ...rest }, 200);
    },
);

export const readEntityRoleOperation = defineOperation(
  createRoute({
    method: 'get',
    path: `${PATH}/{entityRoleId}`,
    operationId: 'readEntityRole',
    tags: ['Roles'],
    summary: 'Read a role of an entity',
    description: `Also one that is locked or removed. ${whoMayAsk('readEntityRole')}`,
    security: BEARER,
    request: { params: ONE },
    responses: { 200: jsonReply("The entity's role.", EntityRoleSchema), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { actor, now } = changeContext(c.get('actor'), c.get('requestId'));
      const { entityId, entityRoleId } = c.req.valid('param');
      return c.json(entityRoleBody(await readEntityRole(db, actor, entityId, entityRoleId), now), 200);
    },
);

export const takeEntityRoleOperation = defineOperation(
  createRoute({
    method: 'post',
    path: `${PATH}/{entityRoleId}/remove`,
    operationId: 'takeEntityRole',
    tags: ['Roles'],
    summary: 'Take a role from an entity',
    description: `The Subordinate Statement follows at once. \`If-Match\` is that of the entity. ${whoMayAsk('takeEntityRole')}`,
    security: BEARER,
    request: { params: ONE, headers: z.object(OPTIONAL_IF_MATCH), body: jsonBody(RoleRemovalSchema) },
    responses: {
      200: jsonReply('What its roles come to.', EntityRolesSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { entityId, entityRoleId } = c.req.valid('param');
      const { reason, dryRun } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const options = { expectedVersion: expectedVersion(c.req.valid('header')), isDryRun: dryRun };
      const roles = await takeRole(context, entityId, entityRoleId, reason, options);
      return c.json(entityRolesBody(entityId, roles), 200, { ETag: entityTag(roles) });
    },
);
