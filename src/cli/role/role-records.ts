/** Authorisation domains, roles and whom they are given to, as the API gives them. */
import { z } from 'zod';

const jsonObject = z.record(z.string(), z.unknown());

export const domainSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  version: z.number(),
});

export const roleSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  domainId: z.string(),
  domain: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  scopes: z.array(z.string()),
  grantTypes: z.array(z.string()),
  entityType: z.string().nullable(),
  metadataPolicy: jsonObject,
  trustMarkTypes: z.array(z.string()),
  approvals: z.number(),
  state: z.string(),
  version: z.number(),
});

const affected = {
  affected: z.array(
    z.looseObject({
      entityId: z.string(),
      entityIdentifier: z.string(),
      name: z.string().nullable(),
      state: z.string(),
    }),
  ),
  affectedTotal: z.number(),
};

export const changedRoleSchema = roleSchema.extend(affected);

const held = {
  id: z.string(),
  roleId: z.string(),
  role: z.string(),
  domain: z.string(),
  registrationId: z.string().nullable(),
  jurisdictions: z.array(z.string()),
  validFrom: z.string().nullable(),
  validTo: z.string().nullable(),
  state: z.string(),
  stateReason: z.string().nullable(),
};

export const organisationRoleSchema = z.looseObject({ ...held, organisationId: z.string(), version: z.number() });

export const removedRoleSchema = organisationRoleSchema.extend(affected);

export const entityRoleSchema = z.looseObject({ ...held, entityId: z.string() });

/** What the roles of an entity come to. */
export const entityRolesSchema = z.looseObject({
  id: z.string().nullable(),
  entityId: z.string(),
  roles: z.array(z.looseObject({ roleId: z.string(), role: z.string() })),
  metadataPolicy: jsonObject,
  version: z.number(),
});

export type DomainRecord = z.infer<typeof domainSchema>;
export type RoleRecord = z.infer<typeof roleSchema>;
export type HeldRoleRecord = z.infer<typeof organisationRoleSchema> | z.infer<typeof entityRoleSchema>;
export type OrganisationRoleRecord = z.infer<typeof organisationRoleSchema>;
export type EntityRoleRecord = z.infer<typeof entityRoleSchema>;
export type EntityRolesRecord = z.infer<typeof entityRolesSchema>;
export type Affected = Pick<z.infer<typeof changedRoleSchema>, 'affected' | 'affectedTotal'>;
