/** Keys of authorities on the wire. */
import { z } from '@hono/zod-openapi';
import type { AuthorityKeyRecord } from '../../../registry/authorities/authority.ts';
import type { RevocationResult } from '../../../registry/authorities/keys/revoke-authority-key.ts';
import { safeFrom } from '../../../registry/authorities/keys/superior-sightings.ts';
import type { ListedAuthorityKey } from '../../../registry/authorities/read-authority.ts';
import { EntityIdentifierSchema, JwkSchema } from '../claims-schema.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { ReasonSchema, TimeSchema } from '../text-schema.ts';

const KID_EXAMPLE = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';

const KidSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,256}$/, 'is the kid of a key')
  .openapi({ example: KID_EXAMPLE });

/** Path parameters of what is done with one key. */
export const AuthorityKeyParams = z.object({ authorityId: RecordIdSchema, kid: KidSchema });

export const KeyRollSchema = z.strictObject({ reason: ReasonSchema }).openapi('KeyRoll');

export const KeyActivationSchema = z
  .strictObject({
    force: z.boolean().optional().openapi({
      description: 'Although others may not know the key yet: chains may fail for them until they ask again.',
      example: false,
    }),
    reason: ReasonSchema,
  })
  .openapi('KeyActivation');

export const KeyRevocationSchema = z
  .strictObject({
    revocationReason: z.string().min(1).max(200).openapi({
      description:
        '`reason` among the historical keys (§8.7.3): `compromised`, `superseded`, `unspecified`, which is left out there, or one of your federation.',
      example: 'compromised',
    }),
    reason: ReasonSchema,
  })
  .openapi('KeyRevocation');

const SuperiorSchema = z
  .object({
    superior: EntityIdentifierSchema,
    listedAt: TimeSchema.nullable().openapi({
      description: 'Since when its Subordinate Statement about this authority was seen to list the key.',
    }),
    safeFrom: TimeSchema.nullable().openapi({
      description: 'From then on none of its earlier statements, without the key, can be in use.',
    }),
    seenAt: TimeSchema.nullable().openapi({ description: 'When its statement was last read.' }),
    failure: z.string().nullable().openapi({ description: 'Why it could not be read at the last attempt.' }),
  })
  .openapi('AuthorityKeySuperior');

export const AuthorityKeySchema = z
  .object({
    kid: KidSchema,
    alg: z.string().openapi({ example: 'ES256' }),
    purpose: z.enum(['federation']),
    custody: z.enum(['sealed', 'pkcs11']).openapi({
      description: 'Who holds the private half: sealed in the database, or a PKCS#11 token.',
    }),
    state: z.enum(['announced', 'active', 'retired', 'historical', 'revoked']).openapi({
      description:
        'announced → active → retired → historical; → revoked from any. The Entity Configuration lists the first three, the historical keys document the last two; the active one signs.',
    }),
    publicJwk: JwkSchema,
    createdAt: TimeSchema,
    activateAfter: TimeSchema.nullable().openapi({
      description: 'An announced key signs from then on, if its superiors list it; null for one that is kept ready.',
    }),
    activatedAt: TimeSchema.nullable(),
    retiredAt: TimeSchema.nullable(),
    removeAfter: TimeSchema.nullable().openapi({
      description: 'A retired key stays published until then, and longer if something lives that it signed.',
    }),
    expiresAt: TimeSchema.nullable().openapi({ description: 'When a historical key stopped to verify anything.' }),
    revokedAt: TimeSchema.nullable(),
    revocationReason: z.string().nullable(),
    superiors: z
      .array(SuperiorSchema)
      .openapi({ description: 'Of an announced key: what was seen of it at each Immediate Superior.' }),
  })
  .openapi('AuthorityKey');

export const AuthorityKeysSchema = z.object({ items: z.array(AuthorityKeySchema) }).openapi('AuthorityKeys');

export const RevokedKeySchema = z
  .object({
    key: AuthorityKeySchema,
    signingKid: KidSchema.nullable().openapi({
      description: 'The key that signs from now on. null: none does, and whatever needs a new signature answers 503.',
    }),
    failure: z.string().nullable().openapi({
      description: 'Why no key could be made to sign in its place; it is tried again every minute.',
    }),
    impact: z.object({
      statements: z
        .array(z.object({ kind: z.string(), count: z.int(), lastExpiresAt: TimeSchema }))
        .openapi({ description: 'Statements that it may have signed, as last stored, by kind.' }),
      outstandingUntil: TimeSchema.nullable().openapi({
        description: 'Nothing that it signed lives longer, Trust Marks and delegations aside; null if it never signed.',
      }),
      subordinates: z.int().openapi({ description: 'Active subordinates; their statements are signed anew.' }),
      trustMarks: z.int().openapi({ description: 'Trust Marks in force that it signed.' }),
      delegations: z.int().openapi({ description: 'Delegations in force that it signed.' }),
      superiors: z.array(EntityIdentifierSchema).openapi({
        description: 'Immediate Superiors that have to drop it, and to list the new key where they do not yet.',
      }),
      pinnedBy: z.array(EntityIdentifierSchema).openapi({
        description:
          'Authorities of this deployment that pin it. Relying parties elsewhere that do have to be told, too.',
      }),
    }),
  })
  .openapi('RevokedAuthorityKey');

export function authorityKeyBody(
  key: AuthorityKeyRecord,
  superiors: ListedAuthorityKey['superiors'] = [],
): z.infer<typeof AuthorityKeySchema> {
  const { kid, alg, purpose, custody, state, publicJwk, revocationReason } = key;
  return {
    kid,
    alg,
    purpose,
    custody,
    state,
    publicJwk,
    createdAt: key.createdAt.toISOString(),
    activateAfter: text(key.activateAfter),
    activatedAt: text(key.activatedAt),
    retiredAt: text(key.retiredAt),
    removeAfter: text(key.removeAfter),
    expiresAt: text(key.expiresAt),
    revokedAt: text(key.revokedAt),
    revocationReason,
    superiors: superiors.map(({ superior, sighting }) => ({
      superior,
      listedAt: text(sighting?.listedAt),
      safeFrom: text(sighting && safeFrom(sighting)),
      seenAt: text(sighting?.seenAt),
      failure: sighting?.failure ?? null,
    })),
  };
}

export function revokedKeyBody({ key, impact, ...result }: RevocationResult): z.infer<typeof RevokedKeySchema> {
  const statements = impact.statements.map((row) => ({ ...row, lastExpiresAt: row.lastExpiresAt.toISOString() }));
  return {
    ...result,
    key: authorityKeyBody(key),
    impact: { ...impact, statements, outstandingUntil: text(impact.outstandingUntil) },
  };
}

function text(moment: Date | null | undefined): string | null {
  return moment?.toISOString() ?? null;
}
