/** Pinned Trust Anchors of others on the wire. */
import { z } from '@hono/zod-openapi';
import type { PinnedTrustAnchor } from '../../../registry/trust-anchors/trust-anchor.ts';
import { EntityIdentifierSchema, JwkSetSchema } from '../claims-schema.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

const AnchorIdentifierSchema = EntityIdentifierSchema.openapi({ example: 'https://anchor.neighbours.example' });

const PinnedKeysSchema = JwkSetSchema.openapi({
  description: 'Its Federation Entity Keys, compared with its operator out of band before they are pinned.',
});

export const NewTrustAnchorSchema = z
  .strictObject({
    authorityId: RecordIdSchema.openapi({ description: 'The authority of ours that resolves towards it.' }),
    entityIdentifier: AnchorIdentifierSchema,
    jwks: PinnedKeysSchema,
  })
  .openapi('NewTrustAnchor');

export const TrustAnchorKeysSchema = z.strictObject({ jwks: PinnedKeysSchema }).openapi('TrustAnchorKeys');

export const TrustAnchorSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    entityIdentifier: AnchorIdentifierSchema,
    jwks: PinnedKeysSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustAnchor');

export const TrustAnchorPageSchema = pageSchema('TrustAnchorPage', TrustAnchorSchema);

export function trustAnchorBody(anchor: PinnedTrustAnchor): z.infer<typeof TrustAnchorSchema> {
  const { id, authorityId, entityIdentifier, jwks, version } = anchor;
  return { id, authorityId, entityIdentifier, jwks, version, createdAt: anchor.createdAt.toISOString() };
}
