/** Token issuers on the wire; their secrets go in and never come out. */
import { z } from '@hono/zod-openapi';
import { MAX_AUDIENCES, type TokenIssuer } from '../../../registry/token-issuers/token-issuer.ts';
import { JwkSetSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const UrlSchema = z.string().min(1).max(2048);

const IssuerSchema = UrlSchema.openapi({
  format: 'uri',
  description: '`iss` of its tokens, compared byte by byte: an https URL without query (RFC 8414 §2).',
  example: 'https://as.bank.example',
});

/** What RFC 6749 appendix A lets ids and secrets of clients consist of. */
const VISIBLE = /^[\x20-\x7e]{1,2048}$/;
const ofVisible = () => z.string().regex(VISIBLE, 'is 1 to 2048 printable ASCII characters');

const IntrospectionSchema = z
  .strictObject({
    endpoint: UrlSchema.openapi({ format: 'uri', example: 'https://as.bank.example/token/introspection' }),
    clientId: ofVisible().openapi({ description: 'How it knows us.', example: 'holdfast' }),
    isSigned: z.boolean().default(false).openapi({
      description: 'Whether its answers are signed (RFC 9701), and nothing else is believed; needs its keys.',
    }),
  })
  .openapi('Introspection', {
    description: 'How it is asked about a token (RFC 7662), with `client_secret_basic`.',
  });

const FIELDS = {
  audiences: z
    .array(z.string().min(1).max(2048))
    .min(1)
    .max(MAX_AUDIENCES)
    .refine(...EACH_ONCE)
    .openapi({
      description:
        'A token counts if its `aud` names one of them. List those of the APIs behind the enforcement points of this authority, and no others.',
      example: ['https://api.bank.example'],
    }),
  jwks: z.union([JwkSetSchema, z.null()]),
  jwksUri: UrlSchema.nullable().openapi({
    format: 'uri',
    description: 'Where it publishes its keys; in place of `jwks`.',
    example: 'https://as.bank.example/jwks',
  }),
  introspection: z.union([IntrospectionSchema, z.null()]),
  acceptsUntypedTokens: z.boolean().openapi({
    description: 'Whether its JWTs count although their `typ` is not `at+jwt` (RFC 9068) but `JWT`, or none.',
    example: false,
  }),
};

const ClientSecretSchema = ofVisible().openapi({
  description: 'For introspection; kept sealed, never shown. Another endpoint or client needs it anew.',
  writeOnly: true,
});

export const NewTokenIssuerSchema = z
  .strictObject({
    authorityId: RecordIdSchema,
    issuer: IssuerSchema,
    audiences: FIELDS.audiences,
    jwks: FIELDS.jwks.optional(),
    jwksUri: FIELDS.jwksUri.optional(),
    introspection: FIELDS.introspection.optional(),
    clientSecret: ClientSecretSchema.optional(),
    acceptsUntypedTokens: FIELDS.acceptsUntypedTokens.optional(),
  })
  .openapi('NewTokenIssuer');

export const TokenIssuerChangesSchema = z
  .strictObject({
    audiences: FIELDS.audiences.optional(),
    jwks: FIELDS.jwks.optional(),
    jwksUri: FIELDS.jwksUri.optional(),
    introspection: FIELDS.introspection.optional(),
    clientSecret: ClientSecretSchema.optional(),
    acceptsUntypedTokens: FIELDS.acceptsUntypedTokens.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('TokenIssuerChanges');

export const TokenIssuerSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    issuer: IssuerSchema,
    ...FIELDS,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TokenIssuer');

export const TokenIssuerPageSchema = pageSchema('TokenIssuerPage', TokenIssuerSchema);

export function tokenIssuerBody({
  state: _,
  createdAt,
  jwks,
  ...issuer
}: TokenIssuer): z.infer<typeof TokenIssuerSchema> {
  return {
    ...issuer,
    jwks: jwks as z.infer<typeof JwkSetSchema> | null,
    createdAt: createdAt.toISOString(),
  };
}
