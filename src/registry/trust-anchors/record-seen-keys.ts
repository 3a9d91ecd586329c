/** Records which keys a pinned Trust Anchor was seen with: learned from a rollover, or an alarm. */
import { eq } from 'drizzle-orm';
import { type JsonObject, jsonEquals } from '../../federation/json.ts';
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { NumericDate } from '../../federation/time.ts';
import type { Tx } from '../../storage/connect.ts';
import { trustAnchorKeys } from '../../storage/schema/trust-anchor-keys.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { NOTHING_SEEN, type SeenKeys, seenKeysOf } from './seen-keys.ts';
import type { PinnedTrustAnchor } from './trust-anchor.ts';

/** What somebody who follows rollovers saw. */
export interface SeenConfiguration {
  trustAnchor: string;
  /** The pins that it was judged by; those who pinned others are not concerned. */
  pinned: JwkSet;
  /** `learned`: a believed key vouches for these. `mismatch`: none does. */
  kind: 'learned' | 'mismatch';
  /** The keys in its Entity Configuration. */
  jwks: JwkSet;
  /** Its `iat`. */
  iat: NumericDate;
}

/** An alarm is recorded once in that time, however many nodes raise it. */
const ALARM_PAUSE_MS = 600_000;

/**
 * Records it for every authority that pinned these keys. What is not newer than what is recorded changes nothing.
 * @throws RegistryError role_missing
 */
export async function recordSeenKeys(context: ChangeContext, seen: SeenConfiguration): Promise<void> {
  authorise(context.actor, ['admin'], null);
  await changeRegistry(context, async (tx, record) => {
    for (const anchor of await concerned(tx, seen)) {
      const before = (await seenKeysOf(tx, [anchor])).get(anchor.id) ?? NOTHING_SEEN;
      const after = following(before, seen, context.now);
      if (after === undefined) continue;
      await write(tx, anchor, after);
      record({
        action: seen.kind === 'learned' ? 'trust_anchor.learn_keys' : 'trust_anchor.alarm',
        authorityId: anchor.authorityId,
        subjectKind: 'trust_anchor',
        subjectId: anchor.id,
        before: snapshot(before, anchor),
        after: snapshot(after, anchor),
      });
    }
  });
}

/** Locks them in the order of their ids, so that nodes that do so at once wait for each other. */
async function concerned(tx: Tx, { trustAnchor, pinned }: SeenConfiguration): Promise<PinnedTrustAnchor[]> {
  const anchors = await tx
    .select()
    .from(trustAnchors)
    .where(eq(trustAnchors.entityIdentifier, trustAnchor))
    .orderBy(trustAnchors.id)
    .for('update');
  return anchors.filter(({ jwks }) => jsonEquals(jwks, keySet(pinned)));
}

function following(before: SeenKeys, seen: SeenConfiguration, at: Date): SeenKeys | undefined {
  const { kind, iat } = seen;
  const jwks = keySet(seen.jwks);
  const { learned, alarm } = before;
  if (kind === 'mismatch') {
    const isKnown = alarm !== null && at.getTime() - alarm.at.getTime() < ALARM_PAUSE_MS;
    return isKnown ? undefined : { learned, alarm: { jwks, at } };
  }
  const isNews = learned === null || (learned.iat < iat && !jsonEquals(learned.jwks, jwks));
  return isNews ? { learned: { jwks, iat, at }, alarm } : undefined;
}

async function write(tx: Tx, { id, version }: PinnedTrustAnchor, { learned, alarm }: SeenKeys): Promise<void> {
  const row = {
    pinnedVersion: version,
    learnedJwks: learned?.jwks ?? null,
    learnedIat: learned?.iat ?? null,
    learnedAt: learned?.at ?? null,
    alarmJwks: alarm?.jwks ?? null,
    alarmAt: alarm?.at ?? null,
  };
  await tx
    .insert(trustAnchorKeys)
    .values({ trustAnchorId: id, ...row })
    .onConflictDoUpdate({ target: trustAnchorKeys.trustAnchorId, set: row });
}

function snapshot({ learned, alarm }: SeenKeys, { entityIdentifier }: PinnedTrustAnchor): JsonObject {
  return { entityIdentifier, learned: learned?.jwks ?? null, alarm: alarm?.jwks ?? null };
}

/** What was parsed as JSON has no other members. */
function keySet({ keys }: JwkSet): { keys: JsonObject[] } {
  return { keys: keys as JsonObject[] };
}
