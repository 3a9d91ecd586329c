/** Hosted entities on the wire. */
import { z } from '@hono/zod-openapi';
import { LIFETIME_SECONDS } from '../../../registry/claims-input.ts';
import type { HostedKeyRecord, Hosting } from '../../../registry/hosting/hosted-entity.ts';
import type { TakenKey } from '../../../registry/hosting/take-hosted-key.ts';
import { claims, EntityIdentifierSchema, JwkSchema } from '../claims-schema.ts';
import { NAMES_SOMETHING, RecordIdSchema } from '../record-schema.ts';
import { ReasonSchema, TimeSchema } from '../text-schema.ts';

const HostedMetadataSchema = claims('`metadata` of its Entity Configuration, by Entity Type, as it declares it (§5).', {
  openid_relying_party: {
    client_name: 'Example Clinic',
    redirect_uris: ['https://clinic.example/callback'],
    client_registration_types: ['automatic'],
  },
});

const ConfigurationLifetimeSchema = z.int().min(LIFETIME_SECONDS.min).max(LIFETIME_SECONDS.max).openapi({
  description: 'Life of its Entity Configuration; each is replaced before half of it is over.',
  example: 86400,
});

export const NewHostingSchema = z
  .strictObject({
    metadata: HostedMetadataSchema,
    configurationLifetimeSeconds: ConfigurationLifetimeSchema.optional(),
  })
  .openapi('NewHosting');

export const HostingChangesSchema = z
  .strictObject({
    metadata: HostedMetadataSchema.optional(),
    configurationLifetimeSeconds: ConfigurationLifetimeSchema.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('HostingChanges');

export const HostingReasonSchema = z.strictObject({ reason: ReasonSchema }).openapi('HostingReason');

export const TakeHostedKeySchema = z
  .strictObject({
    recipient: JwkSchema.openapi({
      description:
        "A public key of the entity's own, on P-256, P-384, P-521 or X25519: the private key is encrypted to it. Without a `kid` it is called by its thumbprint (RFC 7638).",
    }),
    reason: ReasonSchema,
  })
  .openapi('TakeHostedKey');

export const TakenKeySchema = z
  .object({
    kid: z.string(),
    jwe: z.string().openapi({
      description:
        'The private JWK, encrypted (RFC 7517 §7, ECDH-ES with A256GCM). The key is not kept here but so, until the first upload.',
    }),
    droppedKid: z.string().nullable().openapi({
      description:
        'The key that was announced to follow it, if any: it was given up, and is registered no more. Null when asked again.',
      example: null,
    }),
    servedUntil: TimeSchema.openapi({
      description: 'What was signed here last is served until then, unless the entity uploads before.',
    }),
  })
  .openapi('TakenKey');

export function takenKeyBody({ kid, jwe, droppedKid, servedUntil }: TakenKey): z.infer<typeof TakenKeySchema> {
  return { kid, jwe, droppedKid, servedUntil: servedUntil.toISOString() };
}

export const UploadSchema = z
  .strictObject({
    configuration: z.string().min(1).max(200_000).openapi({
      description: 'The Entity Configuration, a JWT signed by a registered key of the entity.',
      example: 'eyJ0eXAiOiJlbnRpdHktc3RhdGVtZW50K2p3dCIsImFsZyI6IkVTMjU2Iiwia2lkIjoiLi4uIn0.eyJpc3MiOiIuLi4ifQ.sig',
    }),
  })
  .openapi('ConfigurationUpload');

const HostedKeySchema = z
  .object({
    kid: z.string(),
    alg: z.string(),
    state: z.enum(['announced', 'active', 'retired', 'handed_over', 'removed']).openapi({
      description:
        '`announced`: listed, signs nothing yet. `retired`: listed while a configuration lives that it signed. `handed_over`: the entity has it, and it is not kept here.',
    }),
    custody: z.enum(['sealed', 'pkcs11', 'partner']).openapi({
      description: 'Where its private half is, or was: `partner`: the entity brought it, or took it.',
    }),
    publicJwk: JwkSchema,
    createdAt: TimeSchema,
    activateAfter: TimeSchema.nullable().openapi({
      description: 'From then on an announced key may sign: no Subordinate Statement without it is in use.',
    }),
    retiredAt: TimeSchema.nullable(),
    removeAfter: TimeSchema.nullable().openapi({ description: 'Until then a retired key stays listed.' }),
  })
  .openapi('HostedKey');

export const HostingSchema = z
  .object({
    entityId: RecordIdSchema,
    entityIdentifier: EntityIdentifierSchema,
    metadata: HostedMetadataSchema,
    configurationLifetimeSeconds: ConfigurationLifetimeSchema,
    mode: z.enum(['signed_here', 'uploaded']).openapi({
      description:
        '`signed_here`: made and signed with the key kept here. `uploaded`: the entity signs and uploads it.',
    }),
    uploadedIat: z.number().nullable().openapi({
      description: '`iat` of what is served when it is uploaded, in seconds since the epoch.',
      example: null,
    }),
    awaitsUpload: z.boolean().openapi({
      description: 'The entity took its key and uploaded nothing yet: what was signed here last is served.',
      example: false,
    }),
    servedUntil: TimeSchema.nullable().openapi({
      description: 'When what is served expires, if the entity signs it. Null while it is signed and renewed here.',
      example: null,
    }),
    startedAt: TimeSchema,
    endedAt: TimeSchema.nullable().openapi({ description: 'When the entity was closed or moved elsewhere.' }),
    keys: z.array(HostedKeySchema),
  })
  .openapi('Hosting');

export function hostingBody(hosting: Hosting): z.infer<typeof HostingSchema> {
  const { entityId, entityIdentifier, metadata, configurationLifetimeSeconds, mode, uploadedIat, awaitsUpload } =
    hosting;
  return {
    ...{ entityId, entityIdentifier, metadata, configurationLifetimeSeconds, mode, uploadedIat, awaitsUpload },
    servedUntil: hosting.servedUntil?.toISOString() ?? null,
    startedAt: hosting.startedAt.toISOString(),
    endedAt: hosting.endedAt?.toISOString() ?? null,
    keys: hosting.keys.map(keyBody),
  };
}

function keyBody(key: HostedKeyRecord): z.infer<typeof HostedKeySchema> {
  const { kid, alg, state, publicJwk } = key;
  const [activateAfter, removeAfter] = [
    state === 'announced' ? key.activateAfter : null,
    state === 'retired' ? key.removeAfter : null,
  ];
  return {
    ...{ kid, alg, state, publicJwk },
    custody: state === 'handed_over' ? 'partner' : key.custody,
    createdAt: key.createdAt.toISOString(),
    activateAfter: activateAfter?.toISOString() ?? null,
    retiredAt: key.retiredAt?.toISOString() ?? null,
    removeAfter: removeAfter?.toISOString() ?? null,
  };
}
