/** Roles of organisations and of entities on the wire. */
import { z } from '@hono/zod-openapi';
import { ENTITY_ROLE_STATES, type EntityRole, entityRoleState } from '../../../registry/roles/entity-role.ts';
import type { EntityRoles } from '../../../registry/roles/give-role.ts';
import {
  ASSIGNMENT_STATES,
  assignmentState,
  type RoleAssignment,
  type RoleAssignmentFields,
} from '../../../registry/roles/role-assignment.ts';
import { MetadataPolicySchema } from '../claims-schema.ts';
import { momentOf, textOf } from '../offer-schema.ts';
import { CountrySchema } from '../organisations/organisation-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { line, ReasonSchema, TimeSchema } from '../text-schema.ts';
import { AFFECTED, DomainNameSchema, DRY_RUN, RoleNameSchema } from './role-schema.ts';

const MAX_JURISDICTIONS = 300;

const FIELDS = {
  registrationId: line(200)
    .nullable()
    .openapi({ description: 'How the regulator that lets it have the role knows it.', example: 'PSDGB-FCA-123456' }),
  jurisdictions: z
    .array(CountrySchema)
    .max(MAX_JURISDICTIONS)
    .refine(...EACH_ONCE)
    .openapi({ description: 'Countries where the role counts; none: no limit.', example: ['GB'] }),
  validFrom: TimeSchema.nullable().openapi({ description: 'It is held from then on.' }),
  validTo: TimeSchema.nullable().openapi({
    description: 'It is held no more from then on, by the clock alone: no statement that rests on it lives longer.',
  }),
};

const CHANGEABLE = {
  registrationId: FIELDS.registrationId.optional(),
  jurisdictions: FIELDS.jurisdictions.optional(),
  validFrom: FIELDS.validFrom.optional(),
  validTo: FIELDS.validTo.optional(),
};

export const NewOrganisationRoleSchema = z
  .strictObject({ roleId: RecordIdSchema, ...CHANGEABLE })
  .openapi('NewOrganisationRole');

export const OrganisationRoleChangesSchema = z
  .strictObject(CHANGEABLE)
  .refine(...NAMES_SOMETHING)
  .openapi('OrganisationRoleChanges');

export const RoleRemovalSchema = z.strictObject({ reason: ReasonSchema, ...DRY_RUN }).openapi('RoleRemoval');

const ScopesSchema = z.array(z.string()).openapi({ example: ['openid', 'payments'] });
const GrantTypesSchema = z.array(z.string()).openapi({ example: ['authorization_code'] });

export const OrganisationRoleSchema = z
  .object({
    id: RecordIdSchema,
    organisationId: RecordIdSchema,
    roleId: RecordIdSchema,
    role: RoleNameSchema.openapi({ description: 'Name of the role.' }),
    domain: DomainNameSchema.openapi({ description: 'Name of its authorisation domain.' }),
    scopes: ScopesSchema,
    grantTypes: GrantTypesSchema,
    ...FIELDS,
    state: z.enum(ASSIGNMENT_STATES).openapi({
      description:
        'By record and clock: only `active` is held; `upcoming` before `validFrom`, `ended` as of `validTo`, `retired` with the role, `removed` for good.',
    }),
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('OrganisationRole');

export const OrganisationRolePageSchema = pageSchema('OrganisationRolePage', OrganisationRoleSchema);

export const RemovedOrganisationRoleSchema = OrganisationRoleSchema.extend(AFFECTED).openapi('RemovedOrganisationRole');

/** What a body says of an assignment, as the registry takes it. */
export function assignmentFields(body: z.infer<typeof OrganisationRoleChangesSchema>): Partial<RoleAssignmentFields> {
  const { registrationId, jurisdictions, validFrom, validTo } = body;
  return {
    ...(registrationId !== undefined && { registrationId }),
    ...(jurisdictions !== undefined && { jurisdictions }),
    ...(validFrom !== undefined && { validFrom: momentOf(validFrom) }),
    ...(validTo !== undefined && { validTo: momentOf(validTo) }),
  };
}

export function organisationRoleBody(assignment: RoleAssignment, now: Date): z.infer<typeof OrganisationRoleSchema> {
  const { id, organisationId, roleId, role, domain, registrationId, jurisdictions, stateReason, version } = assignment;
  return {
    ...{ id, organisationId, roleId, role: role.name, domain, scopes: role.scopes, grantTypes: role.grantTypes },
    ...{ registrationId, jurisdictions },
    validFrom: textOf(assignment.validFrom),
    validTo: textOf(assignment.validTo),
    state: assignmentState(assignment, role, now),
    stateReason,
    stateChangedAt: assignment.stateChangedAt.toISOString(),
    version,
    createdAt: assignment.createdAt.toISOString(),
  };
}

export const NewEntityRoleSchema = z.strictObject({ roleId: RecordIdSchema, ...DRY_RUN }).openapi('NewEntityRole');

export const EntityRoleSchema = z
  .object({
    id: RecordIdSchema,
    entityId: RecordIdSchema,
    organisationRoleId: RecordIdSchema.openapi({ description: "Its organisation's role, without which it has none." }),
    roleId: RecordIdSchema,
    role: RoleNameSchema.openapi({ description: 'Name of the role.' }),
    domain: DomainNameSchema.openapi({ description: 'Name of its authorisation domain.' }),
    scopes: ScopesSchema,
    grantTypes: GrantTypesSchema,
    ...FIELDS,
    state: z.enum(ENTITY_ROLE_STATES).openapi({
      description:
        "By record and clock: only `active` is held; `locked` when the organisation lost it, `removed` when the entity did, otherwise as the organisation's.",
    }),
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    createdAt: TimeSchema,
  })
  .openapi('EntityRole');

export const EntityRolePageSchema = pageSchema('EntityRolePage', EntityRoleSchema);

export function entityRoleBody(entityRole: EntityRole, now: Date): z.infer<typeof EntityRoleSchema> {
  const { id, entityId, roleAssignmentId, role, domain, assignment, stateReason } = entityRole;
  return {
    ...{ id, entityId, organisationRoleId: roleAssignmentId, roleId: role.id, role: role.name, domain },
    ...{ scopes: role.scopes, grantTypes: role.grantTypes },
    registrationId: assignment.registrationId,
    jurisdictions: assignment.jurisdictions,
    validFrom: textOf(assignment.validFrom),
    validTo: textOf(assignment.validTo),
    state: entityRoleState(entityRole, now),
    stateReason,
    stateChangedAt: entityRole.stateChangedAt.toISOString(),
    createdAt: entityRole.createdAt.toISOString(),
  };
}

/** What the roles of an entity come to. */
export const EntityRolesSchema = z
  .object({
    id: RecordIdSchema.nullable().openapi({
      description: 'Of the role that was given or taken; null for a dry run that would give it.',
    }),
    entityId: RecordIdSchema,
    roles: z.array(z.object({ roleId: RecordIdSchema, role: RoleNameSchema })).openapi({
      description: 'Roles given to it, in the order in which their policies are merged.',
    }),
    metadataPolicy: MetadataPolicySchema.openapi({
      description: '`metadata_policy` of its Subordinate Statement once each of these roles counts.',
    }),
    version: VersionSchema.openapi({ description: "Of the entity's record." }),
  })
  .openapi('EntityRoles');

export function entityRolesBody(
  entityId: string,
  { entityRoleId, roles, metadataPolicy, version }: EntityRoles,
): z.infer<typeof EntityRolesSchema> {
  const named = roles.map(({ roleId, name }) => ({ roleId, role: name }));
  return { id: entityRoleId, entityId, roles: named, metadataPolicy, version };
}
