/** Trust Mark types on the wire. */
import { z } from '@hono/zod-openapi';
import type { TrustMarkType } from '../../../registry/trust-marks/trust-mark-type.ts';
import { TRUST_MARK_LIFETIME_SECONDS } from '../../../registry/trust-marks/trust-mark-type-input.ts';
import { claims, EntityIdentifierSchema, JwkSetSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { line, NameSchema, TimeSchema } from '../text-schema.ts';

/** The rules of types are the registry's; here it is a string of acceptable length. */
export const TrustMarkTypeNameSchema = z.string().min(1).max(2048).openapi({
  format: 'uri',
  description: '`trust_mark_type`: a URL of yours that nobody else gives to something else.',
  example: 'https://trust-anchor.example/marks/member',
});

export const MarkClaimsSchema = claims(
  'Further claims. Those of the standard (`iss`, `sub`, `iat`, `exp`, …) are set by Holdfast.',
  { assurance_level: 'substantial' },
);

const LinkSchema = z.string().min(1).max(2048).nullable();

const EligibilitySchema = z
  .strictObject({
    entityTypes: z
      .array(z.string().min(1).max(200))
      .optional()
      .openapi({ description: 'It plays at least one of these Entity Types, and is enrolled here.' }),
    trustMarkTypes: z
      .array(TrustMarkTypeNameSchema)
      .optional()
      .openapi({ description: 'It holds a valid mark of each of these types of this authority.' }),
    roles: z
      .array(RecordIdSchema)
      .optional()
      .openapi({ description: 'It holds at least one of these roles of this authority, and is enrolled here.' }),
  })
  .openapi('TrustMarkEligibility', {
    description: 'Who may get a mark; every rule given must be met when it is granted, approved or renewed.',
    example: { entityTypes: ['openid_provider'] },
  });

const OwnershipSchema = z
  .strictObject({
    owner: EntityIdentifierSchema.openapi({ example: 'https://owner.example' }),
    jwks: JwkSetSchema,
    delegation: z.string().min(1).max(8192).openapi({ description: 'A compact JWT.', example: 'eyJ0eXAi…' }),
  })
  .openapi('TrustMarkOwnership', {
    description:
      'The owner of the type where Trust Anchors list one in `trust_mark_owners`: its keys as listed there, and its delegation to this authority (§7.2). No mark outlives the delegation.',
  });

const LifetimeSchema = z
  .int()
  .min(TRUST_MARK_LIFETIME_SECONDS.min)
  .max(TRUST_MARK_LIFETIME_SECONDS.max)
  .nullable()
  .openapi({ description: 'Life of a signed mark; null: without `exp`.', example: 86_400 });

/** What may be changed. */
const SETTINGS = {
  description: line(2000).nullable().optional(),
  logoUri: LinkSchema.optional().openapi({
    description: '`logo_uri`: an image that stands for the mark.',
    example: 'https://trust-anchor.example/marks/member.svg',
  }),
  ref: LinkSchema.optional().openapi({
    description: '`ref`: where people read about it.',
    example: 'https://trust-anchor.example/marks/member',
  }),
  lifetimeSeconds: LifetimeSchema.optional(),
  additionalClaims: MarkClaimsSchema.optional(),
  eligibility: EligibilitySchema.optional(),
  approval: z
    .enum(['manual', 'automatic'])
    .optional()
    .openapi({ description: 'What becomes of the request of an entity that is eligible.' }),
  ownership: OwnershipSchema.nullable().optional(),
};

export const NewTrustMarkTypeSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority that issues the marks.' }),
    trustMarkType: TrustMarkTypeNameSchema,
    name: NameSchema,
    ...SETTINGS,
  })
  .openapi('NewTrustMarkType');

export const TrustMarkTypeChangesSchema = z
  .strictObject({ name: NameSchema.optional(), ...SETTINGS })
  .refine(...NAMES_SOMETHING)
  .openapi('TrustMarkTypeChanges');

export const TrustMarkTypeSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    trustMarkType: TrustMarkTypeNameSchema,
    name: NameSchema,
    description: z.string().nullable(),
    logoUri: LinkSchema,
    ref: LinkSchema,
    lifetimeSeconds: LifetimeSchema,
    additionalClaims: MarkClaimsSchema,
    eligibility: EligibilitySchema,
    approval: z.enum(['manual', 'automatic']),
    ownership: OwnershipSchema.nullable(),
    delegationExpiresAt: TimeSchema.nullable(),
    state: z.enum(['active', 'retired']),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustMarkType');

export const TrustMarkTypePageSchema = pageSchema('TrustMarkTypePage', TrustMarkTypeSchema);

export function trustMarkTypeBody(type: TrustMarkType): z.infer<typeof TrustMarkTypeSchema> {
  const { owner, ownerJwks, delegation, delegationExpiresAt, createdAt, ...fields } = type;
  const isOwned = owner !== null && ownerJwks !== null && delegation !== null;
  return {
    ...fields,
    ownership: isOwned ? { owner, jwks: ownerJwks, delegation } : null,
    delegationExpiresAt: delegationExpiresAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
