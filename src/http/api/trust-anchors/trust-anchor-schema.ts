/** Pinned Trust Anchors of others on the wire. */
import { z } from '@hono/zod-openapi';
import { NOTHING_SEEN, type SeenKeys, seenKeysOf } from '../../../registry/trust-anchors/seen-keys.ts';
import type { PinnedTrustAnchor } from '../../../registry/trust-anchors/trust-anchor.ts';
import type { Db } from '../../../storage/connect.ts';
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

const SeenSchema = z.object({ jwks: JwkSetSchema, at: TimeSchema });

export const TrustAnchorSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: RecordIdSchema,
    entityIdentifier: AnchorIdentifierSchema,
    jwks: PinnedKeysSchema,
    learned: SeenSchema.nullable().openapi({
      description:
        'Keys that it rolled over to since: each step was signed with a key that was believed before. They count in place of `jwks`, until other keys are pinned. Pin them once they are confirmed.',
    }),
    lastAlarm: SeenSchema.nullable().openapi({
      description:
        'The last time that it published keys which no believed key vouched for, and went on to: nothing was learned. Compare them with its operator out of band.',
    }),
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('TrustAnchor');

export const TrustAnchorPageSchema = pageSchema('TrustAnchorPage', TrustAnchorSchema);

type TrustAnchorBody = z.infer<typeof TrustAnchorSchema>;

/** Trust Anchors that the caller may see, with what was seen of their keys. */
export async function trustAnchorBodies(db: Db, anchors: readonly PinnedTrustAnchor[]): Promise<TrustAnchorBody[]> {
  const seen = await seenKeysOf(db, anchors);
  return anchors.map((anchor) => bodyOf(anchor, seen.get(anchor.id) ?? NOTHING_SEEN));
}

export async function trustAnchorBody(db: Db, anchor: PinnedTrustAnchor): Promise<TrustAnchorBody> {
  const seen = await seenKeysOf(db, [anchor]);
  return bodyOf(anchor, seen.get(anchor.id) ?? NOTHING_SEEN);
}

function bodyOf(anchor: PinnedTrustAnchor, { learned, alarm }: SeenKeys): TrustAnchorBody {
  const { id, authorityId, entityIdentifier, jwks, version } = anchor;
  return {
    ...{ id, authorityId, entityIdentifier, jwks },
    learned: learned && { jwks: learned.jwks, at: learned.at.toISOString() },
    lastAlarm: alarm && { jwks: alarm.jwks, at: alarm.at.toISOString() },
    ...{ version, createdAt: anchor.createdAt.toISOString() },
  };
}
