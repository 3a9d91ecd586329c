/** What was seen of the keys of pinned Trust Anchors since they were pinned. @see OIDFED §11.2, §11.3 */
import { and, asc, eq, inArray } from 'drizzle-orm';
import type { NumericDate } from '../../federation/time.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { trustAnchorKeys } from '../../storage/schema/trust-anchor-keys.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import type { PinnedTrustAnchor } from './trust-anchor.ts';

type KeySet = PinnedTrustAnchor['jwks'];

/** What was seen of a Trust Anchor with its present pins. */
export interface SeenKeys {
  /** Keys that it rolled over to: they are believed in place of those pinned. */
  learned: { jwks: KeySet; iat: NumericDate; at: Date } | null;
  /** The last time that it published keys which no believed key vouched for. */
  alarm: { jwks: KeySet; at: Date } | null;
}

export const NOTHING_SEEN: SeenKeys = { learned: null, alarm: null };

/** By the ids of the Trust Anchors; where nothing was seen there is no entry. Authorising is the caller's part. */
export async function seenKeysOf(
  db: Db | Tx,
  anchors: readonly Pick<PinnedTrustAnchor, 'id'>[],
): Promise<ReadonlyMap<string, SeenKeys>> {
  if (anchors.length === 0) return new Map();
  const ids = anchors.map(({ id }) => id);
  const rows = await db
    .select({ seen: trustAnchorKeys })
    .from(trustAnchorKeys)
    .innerJoin(trustAnchors, ofPresentPins)
    .where(inArray(trustAnchorKeys.trustAnchorId, ids));
  return new Map(rows.map(({ seen }) => [seen.trustAnchorId, seenKeys(seen)]));
}

/** A pinned Trust Anchor, with the keys learned for it. */
export interface BelievedTrustAnchor {
  entityIdentifier: string;
  pinned: KeySet;
  learned: SeenKeys['learned'];
}

/** Every pinned Trust Anchor, for who follows their rollovers. */
export async function believedTrustAnchors(db: Db): Promise<BelievedTrustAnchor[]> {
  const rows = await db
    .select({ anchor: trustAnchors, seen: trustAnchorKeys })
    .from(trustAnchors)
    .leftJoin(trustAnchorKeys, ofPresentPins)
    .orderBy(asc(trustAnchors.id));
  return rows.map(({ anchor, seen }) => ({
    entityIdentifier: anchor.entityIdentifier,
    pinned: anchor.jwks,
    learned: seen === null ? null : seenKeys(seen).learned,
  }));
}

const ofPresentPins = and(
  eq(trustAnchorKeys.trustAnchorId, trustAnchors.id),
  eq(trustAnchorKeys.pinnedVersion, trustAnchors.version),
);

function seenKeys(row: typeof trustAnchorKeys.$inferSelect): SeenKeys {
  const { learnedJwks, learnedIat, learnedAt, alarmJwks, alarmAt } = row;
  const isLearned = learnedJwks !== null && learnedIat !== null && learnedAt !== null;
  return {
    learned: isLearned ? { jwks: learnedJwks, iat: learnedIat, at: learnedAt } : null,
    alarm: alarmJwks !== null && alarmAt !== null ? { jwks: alarmJwks, at: alarmAt } : null,
  };
}
