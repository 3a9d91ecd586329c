/** API tokens on the wire. */
import { z } from '@hono/zod-openapi';
import { invalidField } from '../../../registry/registry-error.ts';
import { type ApiToken, MAX_TOKEN_LIFETIME_DAYS, ROLES } from '../../../registry/tokens/api-token.ts';
import { MAX_OVERLAP_HOURS } from '../../../registry/tokens/rotate-token.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema } from '../text-schema.ts';

export const DEFAULT_TOKEN_LIFETIME_DAYS = 90;

const NAME_EXAMPLE = 'registrar@federation.example';

export const RoleSchema = z.enum(ROLES).openapi('TokenRole', {
  description:
    'Of those who work for authorities: `admin` runs authorities, tokens and all that follows; `registrar` enrols and edits; `approver` decides on states; `auditor` reads the audit. Each of them reads records. Of members, in a token of organisations: `organisation-admin` keeps contacts, entities, APIs and tokens of technical contacts; `technical-contact` keeps entities running: keys, credentials, configurations, checks. Each of them reads what is theirs.',
});

const ReachSchema = z.array(RecordIdSchema).min(1).max(100).nullable();

export const NewTokenSchema = z
  .strictObject({
    name: NameSchema.openapi({ description: 'Who or what uses it; stands in the audit.', example: NAME_EXAMPLE }),
    roles: z
      .array(RoleSchema)
      .min(1)
      .max(ROLES.length)
      .openapi({ example: ['registrar'] }),
    authorityIds: ReachSchema.default(null).openapi({
      description: 'The authorities that it reaches; null: all, later ones too.',
    }),
    organisationIds: ReachSchema.default(null).openapi({
      description:
        'Makes it a token of a member: of these organisations, with roles of members only, in their authorities. Its maker reaches them.',
    }),
    expiresInDays: z
      .int()
      .min(1)
      .max(MAX_TOKEN_LIFETIME_DAYS)
      .default(DEFAULT_TOKEN_LIFETIME_DAYS)
      .openapi({ example: DEFAULT_TOKEN_LIFETIME_DAYS }),
  })
  .openapi('NewToken');

export const TokenSchema = z
  .object({
    id: RecordIdSchema,
    name: z.string().openapi({ example: NAME_EXAMPLE }),
    roles: z.array(RoleSchema),
    authorityIds: z.array(RecordIdSchema).nullable().openapi({ description: 'null: all authorities.' }),
    organisationIds: z
      .array(RecordIdSchema)
      .nullable()
      .openapi({ description: 'Of a member; null: of whoever works for the authorities.' }),
    createdAt: TimeSchema,
    expiresAt: TimeSchema,
    revokedAt: TimeSchema.nullable(),
    previousExpiresAt: TimeSchema.nullable().openapi({
      description: 'Of a token that was rotated: until then the secret before is good, too.',
    }),
  })
  .openapi('Token');

const DEFAULT_OVERLAP_HOURS = 24;

export const TokenRotationSchema = z
  .strictObject({
    overlapHours: z.int().min(0).max(MAX_OVERLAP_HOURS).default(DEFAULT_OVERLAP_HOURS).openapi({
      description: 'How long the old secret stays good; 0: it ends at once.',
      example: DEFAULT_OVERLAP_HOURS,
    }),
  })
  .openapi('TokenRotation');

export const TokenWithSecretSchema = TokenSchema.extend({
  secret: z.string().openapi({
    description: 'Shown this once, kept nowhere; goes into `Authorization: Bearer`.',
    example: 'holdfast_kXq3N0mVYk1sC7uT2nJ8bW5rZ4pL6dQ9eF0aG3hI1jM',
  }),
}).openapi('TokenWithSecret');

export const TokenPageSchema = pageSchema('TokenPage', TokenSchema);

export function tokenBody(token: ApiToken): z.infer<typeof TokenSchema> {
  return {
    id: token.id,
    name: token.name,
    roles: token.roles,
    authorityIds: token.authorityIds,
    organisationIds: token.organisationIds,
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    revokedAt: token.revokedAt?.toISOString() ?? null,
    previousExpiresAt: token.previousExpiresAt?.toISOString() ?? null,
  };
}

/** To ignore it would let a caller believe that a repetition is harmless. */
export function requireNoIdempotencyKey(key: string | undefined): void {
  if (key === undefined) return;
  const detail = 'is not taken here: a secret is shown once, so a repetition could not be answered with it';
  throw invalidField('/header/Idempotency-Key', detail);
}
