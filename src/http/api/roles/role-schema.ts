/** Authorisation domains and roles on the wire. */
import { z } from '@hono/zod-openapi';
import type { AuthorisationDomain } from '../../../registry/roles/authorisation-domain.ts';
import type { Role } from '../../../registry/roles/role.ts';
import type { Holder } from '../../../registry/roles/role-holders.ts';
import { EntityIdentifierSchema, MetadataPolicySchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, StateSchema, VersionSchema } from '../record-schema.ts';
import { line, NameSchema, TimeSchema } from '../text-schema.ts';
import { TrustMarkTypeNameSchema } from '../trust-mark-types/trust-mark-type-schema.ts';

export const DomainNameSchema = NameSchema.openapi({ example: 'Open Banking' });
export const RoleNameSchema = line(100).openapi({ example: 'PISP' });

const DescriptionSchema = line(2000).nullable();

/** Names of scopes and grant types have no spaces in them (RFC 6749 §3.3). */
const WordSchema = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'is one word of printable ASCII');

const wordsSchema = (maxWords: number) =>
  z
    .array(WordSchema)
    .max(maxWords)
    .refine(...EACH_ONCE);

export const NewAuthorisationDomainSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority whose roles it has.' }),
    name: DomainNameSchema,
    description: DescriptionSchema.optional(),
  })
  .openapi('NewAuthorisationDomain');

export const AuthorisationDomainChangesSchema = z
  .strictObject({ name: DomainNameSchema.optional(), description: DescriptionSchema.optional() })
  .refine(...NAMES_SOMETHING)
  .openapi('AuthorisationDomainChanges');

export const AuthorisationDomainSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    name: DomainNameSchema,
    description: DescriptionSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('AuthorisationDomain');

export const AuthorisationDomainPageSchema = pageSchema('AuthorisationDomainPage', AuthorisationDomainSchema);

export function authorisationDomainBody(domain: AuthorisationDomain): z.infer<typeof AuthorisationDomainSchema> {
  return { ...domain, createdAt: domain.createdAt.toISOString() };
}

/** What a role implies. */
const IMPLIED = {
  description: DescriptionSchema,
  scopes: wordsSchema(200).openapi({ description: 'Scopes that the role is about.', example: ['openid', 'payments'] }),
  grantTypes: wordsSchema(50).openapi({ example: ['authorization_code', 'client_credentials'] }),
  entityType: z.string().min(1).max(200).nullable().openapi({
    description: 'Only entities that play this Entity Type are given the role; null: any.',
    example: 'openid_relying_party',
  }),
  metadataPolicy: MetadataPolicySchema.openapi({
    description:
      "Goes into the Subordinate Statements of all who hold the role: merged after the authority's default, in the order of the roles' names, before the entity's own. Where they do not go together: `policy_conflict`.",
  }),
  trustMarkTypes: z
    .array(TrustMarkTypeNameSchema)
    .max(50)
    .refine(...EACH_ONCE)
    .openapi({
      description: 'Trust Mark Types that holders are meant to bear; whom a type is for, its `eligibility` says.',
    }),
  approvals: z.union([z.literal(1), z.literal(2)]).openapi({
    description: 'How many people it takes to let an entity have it.',
    type: 'integer',
    enum: [1, 2],
    example: 1,
  }),
};

const CHANGEABLE = {
  description: IMPLIED.description.optional(),
  scopes: IMPLIED.scopes.optional(),
  grantTypes: IMPLIED.grantTypes.optional(),
  entityType: IMPLIED.entityType.optional(),
  metadataPolicy: IMPLIED.metadataPolicy.optional(),
  trustMarkTypes: IMPLIED.trustMarkTypes.optional(),
  approvals: IMPLIED.approvals.optional(),
};

export const NewRoleSchema = z
  .strictObject({
    domainId: RecordIdSchema.openapi({ description: 'Its authorisation domain.' }),
    name: RoleNameSchema,
    ...CHANGEABLE,
  })
  .openapi('NewRole');

/** Of a change that may be tried first. */
export const DRY_RUN = {
  dryRun: z.boolean().default(false).openapi({
    description: 'Changes nothing: the answer, or the refusal, is what would come of it.',
  }),
};

/** Refines a body of changes, which `dryRun` alone is not. */
const CHANGES_SOMETHING: typeof NAMES_SOMETHING = [
  (body) => Object.keys(body).some((member) => member !== 'dryRun'),
  NAMES_SOMETHING[1],
];

export const RoleChangesSchema = z
  .strictObject({ name: RoleNameSchema.optional(), ...CHANGEABLE, ...DRY_RUN })
  .refine(...CHANGES_SOMETHING)
  .openapi('RoleChanges');

export const RoleStateSchema = z.enum(['active', 'retired']).openapi('RoleState', {
  description: 'Nobody holds a retired role, and nobody is given it.',
});

export const RoleSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    domainId: RecordIdSchema,
    domain: DomainNameSchema.openapi({ description: 'Name of its authorisation domain.' }),
    name: RoleNameSchema,
    ...IMPLIED,
    state: RoleStateSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Role');

export const RolePageSchema = pageSchema('RolePage', RoleSchema);

export function roleBody(role: Role): z.infer<typeof RoleSchema> {
  return { ...role, createdAt: role.createdAt.toISOString() };
}

const RoleHolderSchema = z
  .object({
    entityId: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema,
    name: z.string().nullable(),
    state: StateSchema.openapi({ description: "The entity's own, which a role does not change." }),
  })
  .openapi('RoleHolder');

/** Entities that an answer names at most. */
const MAX_NAMED = 1000;

/** Members of an answer that says whom a change concerns. */
export const AFFECTED = {
  affected: z
    .array(RoleHolderSchema)
    .openapi({ description: `Entities that it concerns, oldest first; the first ${MAX_NAMED} of them.` }),
  affectedTotal: z.int().openapi({ description: 'How many there are.', example: 1 }),
};

interface Affected {
  affected: z.infer<typeof RoleHolderSchema>[];
  affectedTotal: number;
}

export function affectedBody(holders: readonly Holder[]): Affected {
  const affected = holders.slice(0, MAX_NAMED).map(({ id, entityIdentifier, name, state }) => {
    return { entityId: id, entityIdentifier, name, state };
  });
  return { affected, affectedTotal: holders.length };
}

export const ChangedRoleSchema = RoleSchema.extend(AFFECTED).openapi('ChangedRole');
