/** Authorities and their keys on the wire. */
import { z } from '@hono/zod-openapi';
import { endpointUrl } from '../../../issuance/authority-endpoints.ts';
import { type Authority, type AuthorityKey, DEFAULT_LIFETIMES } from '../../../registry/authorities/authority.ts';
import { LIFETIME_SECONDS } from '../../../registry/claims-input.ts';
import {
  CONSTRAINTS_EXAMPLE,
  claims,
  EntityIdentifierSchema,
  JwkSchema,
  MetadataPolicySchema,
  nullableClaims,
} from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { NameSchema, TimeSchema } from '../text-schema.ts';

const IDENTIFIER_EXAMPLE = 'https://trust-anchor.example';

const AuthorityNameSchema = NameSchema.openapi({
  description: '`organization_name` of its Entity Configuration.',
  example: 'Example Federation',
});

const HintsSchema = z.array(EntityIdentifierSchema).max(50).openapi({
  description: 'Its Immediate Superiors, `authority_hints`; without any it is a Trust Anchor.',
  example: [],
});

const InformationSchema = claims(
  'Informational parameters of its `federation_entity` metadata (§5.2.2). Endpoints and `organization_name` are set by Holdfast.',
  { contacts: ['ops@trust-anchor.example'], policy_uri: 'https://trust-anchor.example/policy' },
);

const DefaultConstraintsSchema = nullableClaims(
  'Constraints (§6.2) in every Subordinate Statement whose entity has none of its own.',
  CONSTRAINTS_EXAMPLE,
);

function lifetime(description: string, seconds: number): z.ZodInt {
  return z.int().min(LIFETIME_SECONDS.min).max(LIFETIME_SECONDS.max).openapi({ description, example: seconds });
}

/** What may be changed; all of it optional. */
const SETTINGS = {
  authorityHints: HintsSchema.optional(),
  metadata: InformationSchema.optional(),
  defaultMetadataPolicy: MetadataPolicySchema.optional(),
  defaultConstraints: DefaultConstraintsSchema.optional(),
  configurationLifetimeSeconds: lifetime(
    'Life of its Entity Configuration.',
    DEFAULT_LIFETIMES.configurationLifetimeSeconds,
  ).optional(),
  statementLifetimeSeconds: lifetime(
    'Life of its Subordinate Statements.',
    DEFAULT_LIFETIMES.statementLifetimeSeconds,
  ).optional(),
  resolveLifetimeSeconds: lifetime(
    'Longest life of its resolve answers.',
    DEFAULT_LIFETIMES.resolveLifetimeSeconds,
  ).optional(),
};

export const NewAuthoritySchema = z
  .strictObject({
    entityIdentifier: EntityIdentifierSchema.openapi({
      description: 'Where it will be served: this host must reach Holdfast. Cannot be changed.',
      example: IDENTIFIER_EXAMPLE,
    }),
    name: AuthorityNameSchema,
    ...SETTINGS,
  })
  .openapi('NewAuthority');

export const AuthorityChangesSchema = z
  .strictObject({ name: AuthorityNameSchema.optional(), ...SETTINGS })
  .refine(...NAMES_SOMETHING)
  .openapi('AuthorityChanges');

export const AuthoritySchema = z
  .object({
    id: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema.openapi({ example: IDENTIFIER_EXAMPLE }),
    kind: z.enum(['trust_anchor', 'intermediate']),
    name: AuthorityNameSchema,
    authorityHints: HintsSchema,
    metadata: InformationSchema,
    defaultMetadataPolicy: MetadataPolicySchema,
    defaultConstraints: DefaultConstraintsSchema,
    configurationLifetimeSeconds: z.int(),
    statementLifetimeSeconds: z.int(),
    resolveLifetimeSeconds: z.int(),
    endpoints: z.object({
      configuration: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/.well-known/openid-federation` }),
      fetch: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/fetch` }),
      list: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/list` }),
      resolve: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/resolve` }),
      historicalKeys: z.url().openapi({ example: `${IDENTIFIER_EXAMPLE}/federation/historical-keys` }),
    }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Authority');

export const AuthorityPageSchema = pageSchema('AuthorityPage', AuthoritySchema);

export const AuthorityKeysSchema = z
  .object({
    items: z.array(
      z
        .object({
          kid: z.string().openapi({ example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' }),
          alg: z.string().openapi({ example: 'ES256' }),
          purpose: z.enum(['federation']),
          state: z.enum(['active', 'retired', 'revoked']),
          publicJwk: JwkSchema,
          createdAt: TimeSchema,
          expiresAt: TimeSchema.nullable(),
          revokedAt: TimeSchema.nullable(),
          revocationReason: z.string().nullable(),
        })
        .openapi('AuthorityKey'),
    ),
  })
  .openapi('AuthorityKeys');

export function authorityBody(authority: Authority): z.infer<typeof AuthoritySchema> {
  const { id, entityIdentifier, name, authorityHints, metadata, defaultMetadataPolicy } = authority;
  return {
    id,
    entityIdentifier,
    kind: authorityHints.length === 0 ? 'trust_anchor' : 'intermediate',
    name,
    authorityHints,
    metadata,
    defaultMetadataPolicy,
    defaultConstraints: authority.defaultConstraints,
    configurationLifetimeSeconds: authority.configurationLifetimeSeconds,
    statementLifetimeSeconds: authority.statementLifetimeSeconds,
    resolveLifetimeSeconds: authority.resolveLifetimeSeconds,
    endpoints: {
      configuration: endpointUrl(entityIdentifier, 'configuration'),
      fetch: endpointUrl(entityIdentifier, 'fetch'),
      list: endpointUrl(entityIdentifier, 'list'),
      resolve: endpointUrl(entityIdentifier, 'resolve'),
      historicalKeys: endpointUrl(entityIdentifier, 'historicalKeys'),
    },
    version: authority.version,
    createdAt: authority.createdAt.toISOString(),
  };
}

export function authorityKeyBody(
  key: Omit<AuthorityKey, 'sealedPrivateKey'>,
): z.infer<typeof AuthorityKeysSchema>['items'][number] {
  const { kid, alg, purpose, state, publicJwk, revocationReason } = key;
  return {
    kid,
    alg,
    purpose,
    state,
    publicJwk,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    revocationReason,
  };
}
