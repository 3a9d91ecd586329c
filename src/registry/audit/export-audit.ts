/** Exports the audit trail in the order of its chain, each row with the hash before it and its own. */
import { desc, lte } from 'drizzle-orm';
import { type AuditContents, type AuditPlace, readAuditEnd, readAuditRows } from '../../storage/audit-chain.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { type Actor, authorise } from '../actor.ts';

/** One line of an export: it can be checked by itself, and with those around it. */
export interface ExportedAuditRow extends AuditContents {
  previousHash: string;
  hash: string;
}

const BATCH_SIZE = 500;
/** The largest that the column holds. */
const LAST_ORDINAL = 2_147_483_647;

/**
 * Rows of the changes after `afterSeq` up to the present one, in batches: memory does not grow with the trail, and no
 * transaction waits for a slow reader, since what was written stays as it is.
 * @throws RegistryError role_missing
 */
export async function exportAudit(db: Db, actor: Actor, afterSeq = 0): Promise<AsyncIterable<ExportedAuditRow[]>> {
  authorise(actor, ['admin', 'auditor'], null);
  const end = await readAuditEnd(db);
  const before = afterSeq === 0 ? end.genesis : await lastHashUpTo(db, afterSeq);
  return exportedRows(db, { afterSeq, throughSeq: end.seq, previousHash: before ?? end.genesis });
}

async function lastHashUpTo(db: Db, seq: number): Promise<string | undefined> {
  const [row] = await db
    .select({ hash: audit.hash })
    .from(audit)
    .where(lte(audit.seq, seq))
    .orderBy(desc(audit.seq), desc(audit.ordinal))
    .limit(1);
  return row?.hash;
}

async function* exportedRows(
  db: Db,
  { afterSeq, throughSeq, previousHash }: { afterSeq: number; throughSeq: number; previousHash: string },
): AsyncGenerator<ExportedAuditRow[]> {
  let after: AuditPlace = { seq: afterSeq, ordinal: LAST_ORDINAL };
  let before = previousHash;
  for (;;) {
    const rows = await readAuditRows(db, after, BATCH_SIZE);
    const exported: ExportedAuditRow[] = [];
    for (const { contents, hash } of rows.filter((row) => row.contents.seq <= throughSeq)) {
      exported.push({ ...contents, previousHash: before, hash });
      before = hash;
      after = contents;
    }
    if (exported.length > 0) yield exported;
    if (exported.length < BATCH_SIZE) return;
  }
}
