/** Schemas of what callers hand in and get back in the standard's own words: identifiers, claims, keys. */
import { z } from '@hono/zod-openapi';
import { isJsonObject, type JsonObject } from '../../federation/json.ts';

const MAX_IDENTIFIER_LENGTH = 2048;

/** The rules of Entity Identifiers are the registry's; here it is a string of acceptable length. */
export const EntityIdentifierSchema = z
  .string()
  .min(1)
  .max(MAX_IDENTIFIER_LENGTH)
  .openapi({ format: 'uri', example: 'https://op.partner.example' });

/** A JSON object of claims; spelt as on the wire. */
export function claims(description: string, example: JsonObject): z.ZodType<JsonObject, JsonObject> {
  return z
    .custom<JsonObject>((value) => isJsonObject(value), 'must be an object')
    .openapi({ type: 'object', additionalProperties: true, description, example });
}

/** The same, or null. */
export function nullableClaims(
  description: string,
  example: JsonObject,
): z.ZodType<JsonObject | null, JsonObject | null> {
  return claims(description, example)
    .nullable()
    .openapi({ type: ['object', 'null'] });
}

export const JwkSchema = claims('A public key (RFC 7517) with its `kid`.', {
  kty: 'EC',
  crv: 'P-256',
  kid: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  alg: 'ES256',
  use: 'sig',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
});

export const JwkSetSchema = z
  .strictObject({ keys: z.array(JwkSchema).min(1).max(50) })
  .openapi('JwkSet', { description: 'Public keys (RFC 7517), each with a `kid`. A private key is refused.' });

export const MetadataSchema = claims(
  '`metadata` of the Subordinate Statement, by Entity Type: overrides what the entity says itself (§3.1.1).',
  { openid_relying_party: { client_name: 'Example Ltd (verified)' } },
);

export const MetadataPolicySchema = claims(
  'Metadata policy by Entity Type and parameter (§6.1): what metadata must, may and must not say.',
  {
    openid_relying_party: {
      id_token_signed_response_alg: { one_of: ['ES256', 'PS256'], default: 'ES256' },
      contacts: { essential: true },
    },
  },
);

export const CONSTRAINTS_EXAMPLE: JsonObject = {
  max_path_length: 0,
  naming_constraints: { permitted: ['.partner.example'] },
  allowed_entity_types: ['openid_provider', 'openid_relying_party'],
};

export const ConstraintsSchema = nullableClaims(
  "Constraints on the entity and all below it (§6.2); null: the authority's default.",
  CONSTRAINTS_EXAMPLE,
);
