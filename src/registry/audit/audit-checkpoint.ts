/** Checkpoints of the audit: an authority's signature over how its chain ends, so that nobody can rewrite it unseen. */
import { and, asc, desc, eq, gt, inArray, or, type SQL } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { readAuditEnd } from '../../storage/audit-chain.ts';
import type { Db } from '../../storage/connect.ts';
import { auditCheckpoints } from '../../storage/schema/audit-checkpoints.ts';
import { type Actor, authorise, requireRole } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import type { ChangeContext } from '../change.ts';
import type { PageRequest } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';

export type AuditCheckpoint = typeof auditCheckpoints.$inferSelect;

/** Signs claims with the key that the authority signs with at that moment; filled by who composes the program. */
export type SignAuditCheckpoint = (authorityId: string, claims: JsonObject) => Promise<string>;

/**
 * Signs what the audit is now and keeps it; where nothing happened since the last checkpoint of the authority, that is
 * the answer. It changes nothing that is on record, so the audit has no row of it.
 * @throws RegistryError not_found, role_missing
 */
export async function makeAuditCheckpoint(
  { db, actor, now }: ChangeContext,
  authorityId: string,
  sign: SignAuditCheckpoint,
): Promise<AuditCheckpoint> {
  authorise(actor, ['admin', 'auditor'], authorityId);
  const { entityIdentifier } = await readAuthority(db, actor, authorityId);
  const { seq, hash, rows } = await readAuditEnd(db);
  if (hash === undefined) throw new Error('the audit is not chained yet; run `holdfast migrate`');
  const present = await checkpointAt(db, authorityId, seq);
  if (present !== undefined) return present;
  const claims = { iss: entityIdentifier, iat: Math.floor(now.getTime() / 1000), seq, hash, rows };
  const checkpoint = { authorityId, seq, hash, rows, jwt: await sign(authorityId, claims), createdAt: now };
  await db.insert(auditCheckpoints).values(checkpoint).onConflictDoNothing();
  return (await checkpointAt(db, authorityId, seq)) ?? checkpoint;
}

async function checkpointAt(db: Db, authorityId: string, seq: number): Promise<AuditCheckpoint | undefined> {
  const [checkpoint] = await db
    .select()
    .from(auditCheckpoints)
    .where(and(eq(auditCheckpoints.authorityId, authorityId), eq(auditCheckpoints.seq, seq)));
  return checkpoint;
}

const CURSOR = /^(\d{1,15})\.([0-9a-f-]{36})$/;

/**
 * In the order of seq; an actor of some authorities sees those that these signed.
 * @throws RegistryError role_missing, not_found, validation_failed
 */
export async function listAuditCheckpoints(
  db: Db,
  actor: Actor,
  { authorityId }: { authorityId?: string },
  request: PageRequest,
): Promise<{ items: AuditCheckpoint[]; next?: string }> {
  requireRole(actor, ['admin', 'auditor']);
  if (authorityId !== undefined) authorise(actor, ['admin', 'auditor'], authorityId);
  const rows = await db
    .select()
    .from(auditCheckpoints)
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(auditCheckpoints.authorityId, [...actor.authorities]),
        authorityId === undefined ? undefined : eq(auditCheckpoints.authorityId, authorityId),
        afterCursor(request.cursor),
      ),
    )
    .orderBy(asc(auditCheckpoints.seq), asc(auditCheckpoints.authorityId))
    .limit(request.limit + 1);
  const items = rows.slice(0, request.limit);
  const last = items.at(-1);
  if (rows.length <= request.limit || last === undefined) return { items };
  return { items, next: `${last.seq}.${last.authorityId}` };
}

/** Whether text may be the cursor of a list of checkpoints. */
export function isCheckpointCursor(text: string): boolean {
  return isRecordId(CURSOR.exec(text)?.[2] ?? '');
}

function afterCursor(cursor: string | undefined): SQL | undefined {
  if (cursor === undefined) return undefined;
  const [, seq, authorityId = ''] = CURSOR.exec(cursor) ?? [];
  if (seq === undefined || !isRecordId(authorityId)) {
    throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  }
  return or(
    gt(auditCheckpoints.seq, Number(seq)),
    and(eq(auditCheckpoints.seq, Number(seq)), gt(auditCheckpoints.authorityId, authorityId)),
  );
}

/** When an authority signed its last checkpoint and the seq that it stands for; undefined before the first. */
export async function lastAuditCheckpoint(
  db: Db,
  authorityId: string,
): Promise<{ seq: number; createdAt: Date } | undefined> {
  const [last] = await db
    .select({ seq: auditCheckpoints.seq, createdAt: auditCheckpoints.createdAt })
    .from(auditCheckpoints)
    .where(eq(auditCheckpoints.authorityId, authorityId))
    .orderBy(desc(auditCheckpoints.seq))
    .limit(1);
  return last;
}
