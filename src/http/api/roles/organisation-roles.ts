/** Assigns roles to organisations, lists, reads, changes and removes them. */
import { createRoute, z } from '@hono/zod-openapi';
import { assignRole } from '../../../registry/roles/assign-role.ts';
import { removeRoleAssignment } from '../../../registry/roles/remove-role-assignment.ts';
import { listRoleAssignments, readRoleAssignment } from '../../../registry/roles/role-assignment.ts';
import { updateRoleAssignment } from '../../../registry/roles/update-role-assignment.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import {
  assignmentFields,
  NewOrganisationRoleSchema,
  OrganisationRoleChangesSchema,
  OrganisationRolePageSchema,
  OrganisationRoleSchema,
  organisationRoleBody,
  RemovedOrganisationRoleSchema,
  RoleRemovalSchema,
} from './role-assignment-schema.ts';
import { affectedBody } from './role-schema.ts';

const PATH = '/api/v1/organisations/{organisationId}/roles';
const ONE = recordIdParam('organisationId').extend(recordIdParam('organisationRoleId').shape);

export const assignOrganisationRoleOperation = defineOperation(
  createRoute({
    method: 'post',
    path: PATH,
    operationId: 'assignOrganisationRole',
    tags: ['Roles'],
    summary: 'Assign a role to an organisation',
    description: `Its entities may be given the role from then on. ${whoMayAsk('assignOrganisationRole')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      headers: z.object(IDEMPOTENCY_KEY),
      body: jsonBody(NewOrganisationRoleSchema),
    },
    responses: {
      201: jsonReply("The organisation's role.", OrganisationRoleSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { organisationId } = c.req.valid('param');
      const { roleId, ...fields } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const input = { roleId, ...assignmentFields(fields) };
      const assignment = await assignRole(
        context,
        organisationId,
        input,
        idempotencyOf(c.req.valid('header'), request),
      );
      const location = `/api/v1/organisations/${organisationId}/roles/${assignment.id}`;
      return c.json(organisationRoleBody(assignment, context.now), 201, {
        ETag: entityTag(assignment),
        Location: location,
      });
    },
);

export const listOrganisationRolesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: PATH,
    operationId: 'listOrganisationRoles',
    tags: ['Roles'],
    summary: 'List the roles of an organisation',
    description: `Oldest first; those removed only with \`removed=true\`. ${whoMayAsk('listOrganisationRoles')}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      query: z.strictObject({
        roleId: RecordIdSchema.optional(),
        removed: z.enum(['true', 'false']).optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of roles.', OrganisationRolePageSchema), ...problems(400, 404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { actor, now } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, roleId, removed } = c.req.valid('query');
      const { organisationId } = c.req.valid('param');
      const filter = { ...(roleId !== undefined && { roleId }), isRemoved: removed === 'true' };
      const page = await listRoleAssignments(db, actor, organisationId, filter, { limit, cursor });
      const { items, ...rest } = page;
      return c.json({ items: items.map((assignment) => organisationRoleBody(assignment, now)), ...rest }, 200);
    },
);

export const readOrganisationRoleOperation = defineOperation(
  createRoute({
    method: 'get',
    path: `${PATH}/{organisationRoleId}`,
    operationId: 'readOrganisationRole',
    tags: ['Roles'],
    summary: 'Read a role of an organisation',
    description: `Also one that was removed. ${whoMayAsk('readOrganisationRole')}`,
    security: BEARER,
    request: { params: ONE },
    responses: { 200: jsonReply("The organisation's role.", OrganisationRoleSchema, ['ETag']), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { actor, now } = changeContext(c.get('actor'), c.get('requestId'));
      const { organisationId, organisationRoleId } = c.req.valid('param');
      const assignment = await readRoleAssignment(db, actor, organisationId, organisationRoleId);
      return c.json(organisationRoleBody(assignment, now), 200, { ETag: entityTag(assignment) });
    },
);

export const updateOrganisationRoleOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: `${PATH}/{organisationRoleId}`,
    operationId: 'updateOrganisationRole',
    tags: ['Roles'],
    summary: 'Change a role of an organisation',
    description: `How its regulator knows it, where it counts, and how long. Each member given replaces the present one. ${whoMayAsk('updateOrganisationRole')}`,
    security: BEARER,
    request: { params: ONE, headers: z.object(REQUIRED_IF_MATCH), body: jsonBody(OrganisationRoleChangesSchema) },
    responses: {
      200: jsonReply("The organisation's role as it is now.", OrganisationRoleSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { organisationId, organisationRoleId } = c.req.valid('param');
      const assignment = await updateRoleAssignment(
        context,
        organisationId,
        organisationRoleId,
        assignmentFields(c.req.valid('json')),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(organisationRoleBody(assignment, context.now), 200, { ETag: entityTag(assignment) });
    },
);

export const removeOrganisationRoleOperation = defineOperation(
  createRoute({
    method: 'post',
    path: `${PATH}/{organisationRoleId}/remove`,
    operationId: 'removeOrganisationRole',
    tags: ['Roles'],
    summary: 'Take a role from an organisation',
    description: `And in the same moment from all of its entities that have it: the answer lists them, their role is \`locked\`. ${whoMayAsk('removeOrganisationRole')}`,
    security: BEARER,
    request: { params: ONE, headers: z.object(REQUIRED_IF_MATCH), body: jsonBody(RoleRemovalSchema) },
    responses: {
      200: jsonReply('What it was, and the entities that lost it.', RemovedOrganisationRoleSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { organisationId, organisationRoleId } = c.req.valid('param');
      const { reason, dryRun } = c.req.valid('json');
      const options = { expectedVersion: requiredVersion(c.req.valid('header')), isDryRun: dryRun };
      const removed = await removeRoleAssignment(context, organisationId, organisationRoleId, reason, options);
      const body = { ...organisationRoleBody(removed.assignment, context.now), ...affectedBody(removed.affected) };
      return c.json(body, 200, { ETag: entityTag(removed.assignment) });
    },
);
