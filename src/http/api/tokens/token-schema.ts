/** API tokens on the wire. */
import { z } from '@hono/zod-openapi';
import { type ApiToken, MAX_TOKEN_LIFETIME_DAYS, ROLES } from '../../../registry/tokens/api-token.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema } from '../text-schema.ts';

export const DEFAULT_TOKEN_LIFETIME_DAYS = 90;

const NAME_EXAMPLE = 'registrar@federation.example';

export const RoleSchema = z.enum(ROLES).openapi('Role', {
  description:
    '`admin` runs authorities, tokens and all that follows; `registrar` enrols and edits; `approver` decides on states; `auditor` reads the audit. Each role reads records.',
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
    createdAt: TimeSchema,
    expiresAt: TimeSchema,
    revokedAt: TimeSchema.nullable(),
  })
  .openapi('Token');

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
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    revokedAt: token.revokedAt?.toISOString() ?? null,
  };
}
