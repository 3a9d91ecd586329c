/** Trust lists as records: certification authorities that an authority believes, by what their certificates are for. */
import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type TrustListPurpose, trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';

export type TrustListEntry = typeof trustListEntries.$inferSelect;

export const TRUST_LIST_PURPOSES = ['transport', 'signing'] as const satisfies readonly TrustListPurpose[];

/** Most entries of an authority for one purpose: all of them are read where a path is looked for. */
export const MAX_TRUST_LIST_ENTRIES = 300;

/** @throws RegistryError not_found (also when it was removed), role_missing */
export async function readTrustListEntry(db: Db | Tx, actor: Actor, entryId: string): Promise<TrustListEntry> {
  requireRole(actor, ACCESS.readTrustListEntry.roles);
  if (!isRecordId(entryId)) throw notFound('trust list entry', entryId);
  const [entry] = await db
    .select()
    .from(trustListEntries)
    .where(and(eq(trustListEntries.id, entryId), isNull(trustListEntries.removedAt)));
  if (entry === undefined || !reaches(actor, entry.authorityId)) throw notFound('trust list entry', entryId);
  return entry;
}

export interface TrustListFilter {
  authorityId?: string;
  purpose?: TrustListPurpose;
  /** SHA-256 of the certificate, base64url. */
  x5tS256?: string;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTrustListEntries(
  db: Db,
  actor: Actor,
  { authorityId, purpose, x5tS256 }: TrustListFilter,
  request: PageRequest,
): Promise<Page<TrustListEntry>> {
  const columns = { authority: trustListEntries.authorityId };
  const reached = inReach(actor, ACCESS.listTrustListEntries.roles, columns, authorityId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(trustListEntries)
    .where(
      and(
        reached,
        isNull(trustListEntries.removedAt),
        purpose === undefined ? undefined : eq(trustListEntries.purpose, purpose),
        x5tS256 === undefined ? undefined : eq(trustListEntries.x5tS256, x5tS256),
        after === undefined ? undefined : gt(trustListEntries.id, after),
      ),
    )
    .orderBy(asc(trustListEntries.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

/** The record as the audit keeps it: the fingerprint names the certificate. */
export function trustListEntrySnapshot(entry: TrustListEntry): JsonObject {
  const { purpose, name, x5tS256, subject, notBefore, notAfter } = entry;
  return {
    ...{ purpose, name, x5tS256, subject },
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
  };
}
