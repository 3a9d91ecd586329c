/** Keys of entities on the wire. */
import { z } from '@hono/zod-openapi';
import type { JsonObject } from '../../../federation/json.ts';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { keyThumbprint } from '../../../federation/key-thumbprint.ts';
import type { KeyProposal } from '../../../registry/entities/keys/key-proposals.ts';
import {
  type EntityKeyRecord,
  type EntityKeys,
  entityKeyState,
} from '../../../registry/entities/keys/read-entity-keys.ts';
import { JwkSchema } from '../claims-schema.ts';
import { PublicReasonSchema, ReasonSchema, TimeSchema } from '../text-schema.ts';

/** Whatever the entity calls its key: any text. */
const KidSchema = z
  .string()
  .min(1)
  .max(1024)
  .openapi({ description: 'The `kid` of the key.', example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' });

const ThumbprintSchema = z.string().max(100).openapi({
  description: 'SHA-256 thumbprint of the public key (RFC 7638), base64url.',
  example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
});

export const KeyAcceptanceSchema = z
  .strictObject({
    kid: KidSchema,
    thumbprint: ThumbprintSchema.openapi({
      description:
        'That of the proposed key as you looked at it, and compared it out of band: another key under its `kid` is not accepted.',
    }),
    reason: ReasonSchema,
  })
  .openapi('EntityKeyAcceptance');

export const KeyRefusalSchema = z.strictObject({ kid: KidSchema, reason: ReasonSchema }).openapi('EntityKeyRefusal');

export const KeyCompromiseSchema = z
  .strictObject({ kid: KidSchema, reason: PublicReasonSchema })
  .openapi('EntityKeyCompromise');

export const KeyRemovalSchema = z
  .strictObject({
    kid: KidSchema,
    reason: PublicReasonSchema,
    allowNoKeys: z.boolean().optional().openapi({
      description:
        'The decision that no key that counts may be left: then the entity is not vouched for any more, and has to be enrolled anew with other keys.',
      example: false,
    }),
  })
  .openapi('EntityKeyRemoval');

const EntityKeySchema = z
  .object({
    kid: KidSchema,
    state: z.enum(['registered', 'expired', 'removed', 'compromised']),
    publicJwk: JwkSchema,
    thumbprint: ThumbprintSchema,
    source: z.enum(['enrolment', 'registrar', 'push', 'configuration']).openapi({
      description: 'How it came: with the enrolment, by a registrar, in a pushed set, or from the configuration.',
    }),
    addedAt: TimeSchema,
    expiresAt: TimeSchema.nullable(),
    removedAt: TimeSchema.nullable(),
    removal: z.enum(['enrolment', 'registrar', 'push', 'compromised']).nullable().openapi({
      description: 'Who or what removed it; it does not return, unless that was while the entity is `pending`.',
    }),
    compromisedAt: TimeSchema.nullable(),
    compromiseReason: z.string().nullable(),
  })
  .openapi('EntityKey');

const KeyProposalSchema = z
  .object({
    kid: KidSchema,
    state: z.enum(['proposed', 'accepted', 'refused']),
    publicJwk: JwkSchema,
    thumbprint: ThumbprintSchema,
    signedBy: z.string().nullable().openapi({
      description: '`kid` of the registered key that signed the configuration; `null` where that is not recorded.',
    }),
    proposedAt: TimeSchema,
    decidedAt: TimeSchema.nullable(),
    reason: z.string().nullable(),
  })
  .openapi('EntityKeyProposal');

export const EntityKeysSchema = z
  .object({
    items: z.array(EntityKeySchema).openapi({ description: 'In the order in which they were added.' }),
    proposals: z.array(KeyProposalSchema).openapi({
      description: 'Keys that its configuration, signed by a registered key, showed without their being registered.',
    }),
  })
  .openapi('EntityKeys');

export async function entityKeysBody(
  { keys, proposals }: EntityKeys,
  now: Date,
): Promise<z.infer<typeof EntityKeysSchema>> {
  return {
    items: await Promise.all(keys.map((key) => entityKeyBody(key, now))),
    proposals: await Promise.all(proposals.map(keyProposalBody)),
  };
}

async function keyProposalBody(proposal: KeyProposal): Promise<z.infer<typeof KeyProposalSchema>> {
  const { kid, state, publicJwk, signedBy, proposedAt, decidedAt, reason } = proposal;
  return {
    kid,
    state,
    publicJwk,
    thumbprint: await keyThumbprint(publicJwk as Jwk),
    signedBy,
    proposedAt: proposedAt.toISOString(),
    decidedAt: timeOf(decidedAt),
    reason,
  };
}

async function entityKeyBody(key: EntityKeyRecord, now: Date): Promise<z.infer<typeof EntityKeySchema>> {
  const { kid, publicJwk, source, addedAt, expiresAt, removedAt, removal, compromisedAt, compromiseReason } = key;
  return {
    kid,
    state: entityKeyState(key, now),
    publicJwk: publicJwk as JsonObject,
    thumbprint: await keyThumbprint(publicJwk as Jwk),
    source,
    addedAt: addedAt.toISOString(),
    expiresAt: timeOf(expiresAt),
    removedAt: timeOf(removedAt),
    removal,
    compromisedAt: timeOf(compromisedAt),
    compromiseReason,
  };
}

function timeOf(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
