/** Looks for paths anew after a trust list changed: those on record lead to what was on the list before. */
import { setImmediate } from 'node:timers/promises';
import { and, eq, isNull, lt, or, sql } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type CertificatePath, credentials } from '../../storage/schema/credentials.ts';
import { type TrustListPurpose, trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { authorise } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../change.ts';
import { type CredentialRow, credentialSnapshot } from '../credentials/credential.ts';
import { IS_ANCHOR_LISTED, isOpen } from '../credentials/credential-standing.ts';
import { findListedPath, readListedAnchors } from './listed-path.ts';

/** A list, and when it changed last. */
export interface ChangedTrustList {
  authorityId: string;
  purpose: TrustListPurpose;
  changedAt: Date;
}

/** All lists that ever had an entry. */
export async function changedTrustLists(db: Db): Promise<ChangedTrustList[]> {
  const { authorityId, purpose, createdAt, removedAt } = trustListEntries;
  const changedAt = sql<Date>`max(greatest(${createdAt}, ${removedAt}))`.mapWith(createdAt);
  return await db.select({ authorityId, purpose, changedAt }).from(trustListEntries).groupBy(authorityId, purpose);
}

/** Looked at in one change. */
const PIECE = 100;

/** Clocks of nodes are not further apart, and no change of a list takes longer until others see it. */
const APART_MS = 60_000;

/**
 * One piece of the certificates that were judged before the list changed. Those that count no more, or have a path that
 * could not be better, are only taken note of.
 * @param begunAt when the round began: what was judged since then is left alone
 * @returns how many it got done; 0 when there are no more, or others are at them
 * @throws RegistryError role_missing
 */
export async function judgePathsAnew(
  context: ChangeContext,
  { authorityId, purpose, changedAt }: ChangedTrustList,
  begunAt: Date,
): Promise<number> {
  authorise(context.actor, ['admin'], null);
  const { db, now } = context;
  const before = new Date(Math.min(changedAt.getTime() + APART_MS, begunAt.getTime()));
  const { id, x5c, path, pathJudgedAt } = credentials;
  const isToJudge = sql<boolean>`(${isOpen(now)} and (not ${IS_ANCHOR_LISTED}
    or coalesce((path ->> 'notAfter')::numeric < extract(epoch from ${credentials.notAfter}), true)))`;
  const due = await db
    .select({ id, path, pathJudgedAt, x5c: sql<string[] | null>`case when ${isToJudge} then ${x5c} end`.mapWith(x5c) })
    .from(credentials)
    .where(
      and(
        eq(credentials.authorityId, authorityId),
        eq(credentials.usage, purpose),
        eq(credentials.kind, 'x509'),
        or(isNull(pathJudgedAt), lt(pathJudgedAt, before)),
      ),
    )
    .limit(PIECE);
  if (due.length === 0) return 0;
  const anchors = await readListedAnchors(db, authorityId, purpose);
  const found = new Map<string, CertificatePath | null>();
  for (const one of due) {
    if (one.x5c === null) continue;
    const judged = findListedPath(one.x5c, purpose, anchors, now);
    const isListed = one.path !== null && anchors.has(one.path.anchor);
    const next = 'reason' in judged ? null : judged;
    if (!isListed || (next !== null && next.notAfter > (one.path?.notAfter ?? 0))) found.set(one.id, next);
    // Others are waiting for this process, too.
    await setImmediate();
  }
  return await changeRegistry(context, (tx, record) => writePaths(tx, { due, found, now }, record));
}

interface Judged {
  due: readonly Pick<CredentialRow, 'id' | 'pathJudgedAt'>[];
  /** Of those whose path may be another now. */
  found: ReadonlyMap<string, CertificatePath | null>;
  now: Date;
}

/** What was judged or changed meanwhile, or is held by somebody, is left for the next round. */
async function writePaths(tx: Tx, { due, found, now }: Judged, record: (entry: AuditEntry) => void): Promise<number> {
  const ids = due.map(({ id }) => id);
  const held = await tx
    .select()
    .from(credentials)
    .where(isAnyOf(credentials.id, ids))
    .for('update', { skipLocked: true });
  const seen = new Map(due.map(({ id, pathJudgedAt }) => [id, pathJudgedAt?.getTime()]));
  const same = held.filter(({ id, pathJudgedAt }) => seen.get(id) === pathJudgedAt?.getTime());
  for (const before of same) {
    const path = found.get(before.id);
    if (path === undefined || isSamePath(path, before.path)) continue;
    const change = { path, version: before.version + 1 };
    await tx.update(credentials).set(change).where(eq(credentials.id, before.id));
    record({
      action: 'credential.path',
      authorityId: before.authorityId,
      subjectKind: 'credential',
      subjectId: before.id,
      before: credentialSnapshot(before),
      after: credentialSnapshot({ ...before, ...change }),
      reason: 'the trust list changed',
    });
  }
  const judged = same.map(({ id }) => id);
  await tx.update(credentials).set({ pathJudgedAt: now }).where(isAnyOf(credentials.id, judged));
  return judged.length;
}

function isSamePath(one: CertificatePath | null, other: CertificatePath | null): boolean {
  return one?.anchor === other?.anchor && one?.notAfter === other?.notAfter;
}
