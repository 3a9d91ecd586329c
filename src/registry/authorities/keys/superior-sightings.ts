/** What was seen of announced keys at the superiors, and when a superior lets a key sign. @see OIDFED §11.2 */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { authorityKeySightings } from '../../../storage/schema/authority-key-sightings.ts';
import type { Authority, AuthorityKey } from '../authority.ts';
import { after, LEEWAY_SECONDS, readyAt } from './key-times.ts';

export type SuperiorSighting = typeof authorityKeySightings.$inferSelect;

/** What a look at a superior's statement about us came to. */
export type Look = { isListed: boolean; statementSeconds: number } | { failure: string };

/** A superior that was not seen for longer says nothing about the present. */
const SIGHTING_MAX_AGE_SECONDS = 2 * 3600;
const MAX_FAILURE_LENGTH = 500;

/** Why an announced key does not sign yet. */
export interface Wait {
  /** The superior that it waits for; undefined where it is too young by itself. */
  superior?: string;
  /** When the wait is over, as far as that is known. */
  until: Date | null;
  detail: string;
}

/**
 * Keeps what a look found. An earlier statement without the key may be in use until it expires, so what counts is
 * since when each look found the key, and the longest life of any statement seen.
 */
export async function recordLook(
  db: Db,
  place: { keyId: string; superior: string },
  look: Look,
  now: Date,
): Promise<void> {
  const table = authorityKeySightings;
  if ('failure' in look) {
    const failure = look.failure.slice(0, MAX_FAILURE_LENGTH);
    await db
      .insert(table)
      .values({ ...place, longestStatementSeconds: 0, attemptedAt: now, failure })
      .onConflictDoUpdate({ target: [table.keyId, table.superior], set: { attemptedAt: now, failure } });
    return;
  }
  const seen = { seenAt: now, attemptedAt: now, failure: null };
  await db
    .insert(table)
    .values({
      ...place,
      ...seen,
      listedAt: look.isListed ? now : null,
      longestStatementSeconds: look.statementSeconds,
    })
    .onConflictDoUpdate({
      target: [table.keyId, table.superior],
      set: {
        ...seen,
        listedAt: look.isListed ? sql`coalesce(${table.listedAt}, excluded.listed_at)` : null,
        longestStatementSeconds: sql`greatest(${table.longestStatementSeconds}, excluded.longest_statement_seconds)`,
      },
    });
}

/** All that was seen of some keys. */
export async function readSightings(db: Db | Tx, keyIds: readonly string[]): Promise<SuperiorSighting[]> {
  if (keyIds.length === 0) return [];
  return await db
    .select()
    .from(authorityKeySightings)
    .where(and(inArray(authorityKeySightings.keyId, [...keyIds])));
}

/** What was seen of one key at one superior. */
export async function readSighting(
  db: Db,
  { keyId, superior }: { keyId: string; superior: string },
): Promise<SuperiorSighting | undefined> {
  const { keyId: key, superior: who } = authorityKeySightings;
  const [sighting] = await db
    .select()
    .from(authorityKeySightings)
    .where(and(eq(key, keyId), eq(who, superior)));
  return sighting;
}

/** From when on no statement of the superior without the key can be in use; null while it does not list the key. */
export function safeFrom({ listedAt, longestStatementSeconds }: SuperiorSighting): Date | null {
  return listedAt === null ? null : after(listedAt, longestStatementSeconds + LEEWAY_SECONDS);
}

/** Why an announced key must not sign yet; empty when it may. */
export function waitsOf(
  key: AuthorityKey,
  authority: Authority,
  sightings: readonly SuperiorSighting[],
  now: Date,
): Wait[] {
  const ready = readyAt(key, authority);
  const age: Wait[] =
    ready > now ? [{ until: ready, detail: `it is announced until ${ready.toISOString()}, for all to learn it` }] : [];
  return [...age, ...authority.authorityHints.flatMap((superior) => waitFor(superior, key.id, sightings, now) ?? [])];
}

function waitFor(superior: string, keyId: string, sightings: readonly SuperiorSighting[], now: Date): Wait | undefined {
  const sighting = sightings.find((one) => one.keyId === keyId && one.superior === superior);
  if (sighting?.seenAt == null || sighting.seenAt < after(now, -SIGHTING_MAX_AGE_SECONDS)) {
    const detail = sighting?.failure ?? 'its statement about this authority was not read yet';
    return { superior, until: null, detail };
  }
  const safe = safeFrom(sighting);
  if (safe === null)
    return { superior, until: null, detail: 'its statement about this authority does not list the key' };
  if (safe <= now) return undefined;
  return {
    superior,
    until: safe,
    detail: `its earlier statements without the key may be in use until ${safe.toISOString()}`,
  };
}
