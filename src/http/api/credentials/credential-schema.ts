/** Credentials on the wire. */
import { z } from '@hono/zod-openapi';
import { MAX_PEM_LENGTH } from '../../../pki/pem.ts';
import {
  CREDENTIAL_KINDS,
  CREDENTIAL_POSSESSIONS,
  CREDENTIAL_USAGES,
  type Credential,
  type ListedCredential,
  MAX_OVERLAP_DAYS,
  REVOCATION_REASONS,
} from '../../../registry/credentials/credential.ts';
import type { CredentialMaterial } from '../../../registry/credentials/credential-material.ts';
import { CREDENTIAL_STATES, credentialStanding } from '../../../registry/credentials/credential-standing.ts';
import { MAX_PROOF_AGE_SECONDS } from '../../../registry/credentials/possession-proof.ts';
import { ENTITY_MODES } from '../../../registry/entities/entity-attributes.ts';
import { type EntityKeyRecord, entityKeyState } from '../../../registry/entities/keys/read-entity-keys.ts';
import { EntityIdentifierSchema, JwkSchema } from '../claims-schema.ts';
import { momentOf, textOf } from '../offer-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, StateSchema, VersionSchema } from '../record-schema.ts';
import { ReasonSchema, TimeSchema, TokenSchema } from '../text-schema.ts';

export const CredentialUsageSchema = z.enum(CREDENTIAL_USAGES).openapi('CredentialUsage', {
  description: 'At the ends of TLS connections, under what is signed, or to encrypt to.',
});

export const CredentialKindSchema = z.enum(CREDENTIAL_KINDS).openapi('CredentialKind');

export const CredentialStateSchema = z.enum(CREDENTIAL_STATES).openapi('CredentialState', {
  description:
    'By what was decided and the clock: `active`, `not_yet_valid`, `on_hold` (may be released), and for good `superseded`, `expired`, `revoked`.',
});

export const CredentialPossessionSchema = z.enum(CREDENTIAL_POSSESSIONS).openapi('CredentialPossession', {
  description: 'Whether whoever handed it in showed that he has the private key.',
});

/** SHA-256, base64url. */
export const FingerprintSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'is a SHA-256 in base64url, 43 characters')
  .openapi({ example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' });

const CertificateSchema = z.string().min(1).max(MAX_PEM_LENGTH).openapi({
  description:
    'A certificate as PEM, or a chain with the leaf first, each signed by the next. Of version 3, RSA from 2048 bits, EC on P-256 or longer, or Ed25519; SHA-2. A private key is refused, and goes nowhere.',
  example: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n',
});

const MATERIAL = {
  certificate: CertificateSchema.optional(),
  jwk: JwkSchema.optional().openapi({ description: 'A public key (RFC 7517). Without `kid` its thumbprint is one.' }),
  notAfter: TimeSchema.nullable().optional().openapi({ description: 'With `jwk`: when it ends; `null` for never.' }),
};

const ProofSchema = z
  .string()
  .min(1)
  .max(16_384)
  .openapi({
    description: `Shows that whoever sends it has the private key: a JWT signed with that, \`typ\` \`credential-possession+jwt\`, \`kid\` the thumbprint of the key (RFC 7638), \`sub\` the Entity Identifier of the entity, \`aud\` that of the authority alone, \`iat\` at most ${MAX_PROOF_AGE_SECONDS} s from now, a \`jti\` of its own; good once. \`holdfast credential prove\` makes it. Members need one; what staff record without is \`unproven\`.`,
  });

interface MaterialOnTheWire {
  certificate?: string | undefined;
  jwk?: z.infer<typeof JwkSchema> | undefined;
  notAfter?: string | null | undefined;
}

const ONE_MATERIAL: [(body: MaterialOnTheWire) => boolean, string] = [
  ({ certificate, jwk }) => (certificate === undefined) !== (jwk === undefined),
  'has either `certificate` or `jwk`',
];
const NO_OTHER_END: [(body: MaterialOnTheWire) => boolean, { error: string; path: string[] }] = [
  ({ certificate, notAfter }) => certificate === undefined || notAfter === undefined,
  { error: 'is in the certificate', path: ['notAfter'] },
];

export const NewCredentialSchema = z
  .strictObject({
    usage: CredentialUsageSchema,
    environment: TokenSchema.optional().openapi({
      description: "Where it is meant to be used; another one than the entity's is refused (`wrong_environment`).",
      example: 'production',
    }),
    ...MATERIAL,
    proof: ProofSchema.optional(),
  })
  .refine(...ONE_MATERIAL)
  .refine(...NO_OTHER_END)
  .openapi('NewCredential');

export const CredentialReplacementSchema = z
  .strictObject({
    ...MATERIAL,
    proof: ProofSchema.optional(),
    until: TimeSchema.nullable()
      .optional()
      .openapi({
        description: `Until then both count, at most ${MAX_OVERLAP_DAYS} days ahead; without it the new one alone, at once.`,
      }),
  })
  .refine(...ONE_MATERIAL)
  .refine(...NO_OTHER_END)
  .openapi('CredentialReplacement');

export const RevocationReasonSchema = z
  .enum(REVOCATION_REASONS)
  .openapi({ description: 'As in RFC 5280 §5.3.1.', example: 'cessation_of_operation' });

export const CredentialRevocationSchema = z
  .strictObject({
    reasonCode: RevocationReasonSchema.openapi({
      description:
        'As in RFC 5280 §5.3.1. With `key_compromise` all credentials of the entity with that key are revoked, and the key never returns; when a member says so, to its own organisation.',
    }),
    reason: ReasonSchema,
  })
  .openapi('CredentialRevocation');

const ListedCredentialSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    organisationId: RecordIdSchema,
    entityId: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema,
    kind: CredentialKindSchema,
    usage: CredentialUsageSchema,
    source: z.enum(['external', 'issued']).openapi({ description: 'Whether somebody else issued it, or we did.' }),
    possession: CredentialPossessionSchema,
    mode: z.enum(ENTITY_MODES),
    environment: z.string().openapi({ description: 'The only one in which it counts.', example: 'production' }),
    state: CredentialStateSchema,
    entityState: StateSchema.openapi({ description: "The stricter of its entity's and its organisation's." }),
    isLive: z.boolean().openapi({
      description: 'Whether it counts now: active itself, its entity and its organisation too.',
    }),
    refusal: z.string().nullable().openapi({
      description:
        'Why it does not count, such as `credential_on_hold` or `organisation_suspended`; `null` if it does.',
    }),
    kid: z
      .string()
      .openapi({ description: '`kid` of the JWK; of a certificate the thumbprint of its key (RFC 7638).' }),
    publicJwk: JwkSchema,
    spkiSha256: FingerprintSchema.openapi({ description: 'SHA-256 of the SubjectPublicKeyInfo, base64url.' }),
    x5tS256: FingerprintSchema.nullable().openapi({ description: '`x5t#S256` of the certificate (RFC 8705).' }),
    subject: z.string().nullable().openapi({ example: 'CN=client.partner.example' }),
    issuer: z.string().nullable(),
    serial: z.string().nullable().openapi({ description: 'Hexadecimal.', example: '4f2a' }),
    notBefore: TimeSchema.nullable(),
    notAfter: TimeSchema.nullable(),
    path: z
      .object({
        anchor: FingerprintSchema.openapi({ description: '`x5t#S256` of the entry of the trust list.' }),
        notAfter: TimeSchema.openapi({ description: 'Until then all of its certificates are valid.' }),
      })
      .nullable()
      .openapi({ description: "The way to the authority's trust list that was found; `null`: there was none." }),
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    revocationReason: RevocationReasonSchema.nullable(),
    revokedAt: TimeSchema.nullable(),
    supersedes: RecordIdSchema.nullable().openapi({ description: 'The credential whose place it takes.' }),
    supersededAt: TimeSchema.nullable().openapi({ description: 'From then on its successor alone counts.' }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('ListedCredential');

export const CredentialSchema = ListedCredentialSchema.extend({
  x5c: z.array(z.string()).nullable().openapi({ description: 'The chain, base64 of DER, the leaf first (RFC 7517).' }),
}).openapi('Credential');

export const CredentialPageSchema = pageSchema('CredentialPage', ListedCredentialSchema);

const FederationKeySchema = z
  .object({
    usage: z.literal('federation'),
    kid: z.string(),
    state: z.enum(['registered', 'expired', 'removed', 'compromised']),
    publicJwk: JwkSchema,
    addedAt: TimeSchema,
    expiresAt: TimeSchema.nullable(),
  })
  .openapi('FederationKey');

export const EntityCredentialsSchema = CredentialPageSchema.extend({
  federationKeys: z.array(FederationKeySchema).openapi({
    description: 'Its Federation Entity Keys; more about them: `/entities/{entityId}/keys`.',
  }),
}).openapi('EntityCredentials');

export function materialOf({ certificate, jwk = {}, notAfter }: MaterialOnTheWire): CredentialMaterial {
  return certificate === undefined ? { jwk, notAfter: momentOf(notAfter) } : { certificate };
}

export function listedCredentialBody(credential: ListedCredential, now: Date): z.infer<typeof ListedCredentialSchema> {
  const { id, authorityId, organisationId, entityId, entityIdentifier, kind, usage, source, mode } = credential;
  const { possession, environment, kid, publicJwk, spkiSha256, x5tS256, subject, issuer, serial, supersedes, version } =
    credential;
  return {
    ...{ id, authorityId, organisationId, entityId, entityIdentifier, kind, usage, source, possession },
    ...{ mode, environment },
    ...credentialStanding(credential, now),
    ...{ kid, publicJwk, spkiSha256, x5tS256, subject, issuer, serial },
    notBefore: textOf(credential.notBefore),
    notAfter: textOf(credential.notAfter),
    path: pathBody(credential),
    stateReason: credential.stateReason,
    stateChangedAt: credential.stateChangedAt.toISOString(),
    revocationReason: credential.revocationReason,
    revokedAt: textOf(credential.revokedAt),
    supersedes,
    supersededAt: textOf(credential.supersededAt),
    version,
    createdAt: credential.createdAt.toISOString(),
  };
}

function pathBody({ path }: ListedCredential): z.infer<typeof ListedCredentialSchema>['path'] {
  return path && { anchor: path.anchor, notAfter: new Date(path.notAfter * 1000).toISOString() };
}

export function credentialBody(credential: Credential, now: Date): z.infer<typeof CredentialSchema> {
  return { ...listedCredentialBody(credential, now), x5c: credential.x5c };
}

export function federationKeyBody(key: EntityKeyRecord, now: Date): z.infer<typeof FederationKeySchema> {
  const { kid, publicJwk, addedAt, expiresAt } = key;
  return {
    usage: 'federation',
    kid,
    state: entityKeyState(key, now),
    publicJwk,
    addedAt: addedAt.toISOString(),
    expiresAt: textOf(expiresAt),
  };
}
