/** Lists of revocations as they are kept: one number each, and what changed under them. */
import { and, desc, eq, inArray, isNotNull, lte } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import {
  certificateRevocationLists,
  certificationAuthorities,
} from '../../storage/schema/certification-authorities.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { isRecordId } from '../record-id.ts';

export type RevocationListRow = typeof certificateRevocationLists.$inferSelect;
/** Without the list itself, which may have megabytes. */
export type RevocationListHead = Omit<RevocationListRow, 'der'>;

const HEAD = {
  certificationAuthorityId: certificateRevocationLists.certificationAuthorityId,
  number: certificateRevocationLists.number,
  thisUpdate: certificateRevocationLists.thisUpdate,
  nextUpdate: certificateRevocationLists.nextUpdate,
  seq: certificateRevocationLists.seq,
  changesAt: certificateRevocationLists.changesAt,
  entries: certificateRevocationLists.entries,
  digest: certificateRevocationLists.digest,
};

/** The newest ones stay, for whoever looks into what happened. */
const KEPT = 3;

export async function readNewestList(
  db: Db,
  certificationAuthorityId: string,
): Promise<RevocationListHead | undefined> {
  const [newest] = await db
    .select(HEAD)
    .from(certificateRevocationLists)
    .where(eq(certificateRevocationLists.certificationAuthorityId, certificationAuthorityId))
    .orderBy(desc(certificateRevocationLists.number))
    .limit(1);
  return newest;
}

/** @returns undefined when newer ones took its place */
export async function readListBytes(
  db: Db,
  { certificationAuthorityId, number }: RevocationListHead,
): Promise<Uint8Array | undefined> {
  const [row] = await db
    .select({ der: certificateRevocationLists.der })
    .from(certificateRevocationLists)
    .where(isList(certificationAuthorityId, number));
  return row?.der;
}

/**
 * Stores a list as the newest: its number is above that of the one before, and counts with this transaction.
 * @returns false when another node was faster, or knows more; then nothing is stored
 */
export async function storeList(db: Db, row: RevocationListRow, numberBefore: number): Promise<boolean> {
  const { certificationAuthorityId, number, seq } = row;
  return await db.transaction(async (tx) => {
    const { id, revocationListNumber } = certificationAuthorities;
    const counted = await tx
      .update(certificationAuthorities)
      .set({ revocationListNumber: number })
      .where(and(eq(id, certificationAuthorityId), eq(revocationListNumber, numberBefore)))
      .returning({ number: revocationListNumber });
    if (counted.length === 0) return false;
    const ofIssuer = eq(certificateRevocationLists.certificationAuthorityId, certificationAuthorityId);
    const kept = await tx
      .select({ number: certificateRevocationLists.number, seq: certificateRevocationLists.seq })
      .from(certificateRevocationLists)
      .where(ofIssuer)
      .orderBy(desc(certificateRevocationLists.number))
      .limit(KEPT);
    // What was read earlier never follows what was read later.
    const [before] = kept;
    if (before !== undefined && before.seq > seq) {
      await tx
        .update(certificationAuthorities)
        .set({ revocationListNumber: numberBefore })
        .where(eq(id, certificationAuthorityId));
      return false;
    }
    await tx.insert(certificateRevocationLists).values(row);
    const [oldest] = kept.slice(KEPT - 1);
    if (oldest !== undefined) {
      await tx
        .delete(certificateRevocationLists)
        .where(and(ofIssuer, lte(certificateRevocationLists.number, oldest.number)));
    }
    return true;
  });
}

/**
 * Notes that the newest list still says all that there is to say.
 * @returns false when another one is the newest by now
 */
export async function confirmList(
  db: Db,
  { certificationAuthorityId, number }: RevocationListHead,
  { seq, changesAt }: Pick<RevocationListHead, 'seq' | 'changesAt'>,
): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const [authority] = await tx
      .select({ number: certificationAuthorities.revocationListNumber })
      .from(certificationAuthorities)
      .where(eq(certificationAuthorities.id, certificationAuthorityId))
      .for('no key update');
    if (authority?.number !== number) return false;
    await tx
      .update(certificateRevocationLists)
      .set({ seq, changesAt })
      .where(and(isList(certificationAuthorityId, number), lte(certificateRevocationLists.seq, seq)));
    return true;
  });
}

function isList(certificationAuthorityId: string, number: number) {
  return and(
    eq(certificateRevocationLists.certificationAuthorityId, certificationAuthorityId),
    eq(certificateRevocationLists.number, number),
  );
}

/** Those of whose certificates something else may be said after these changes: their own, their owners', their issuer's. */
export async function affectedCertificationAuthorities(db: Db, changes: readonly RegistryChange[]): Promise<string[]> {
  const idsOf = (kind: string) => [
    ...new Set(
      changes.flatMap(({ subjectKind, subjectId }) =>
        subjectKind === kind && isRecordId(subjectId) ? [subjectId] : [],
      ),
    ),
  ];
  const [changed, owners, members] = [idsOf('credential'), idsOf('entity'), idsOf('organisation')];
  const issuers = new Set(idsOf('certification_authority'));
  // One after the other, each by an index: every node asks for each change.
  const { id, entityId, certificationAuthorityId } = credentials;
  const ofMembers = db.select({ id: entities.id }).from(entities).where(isAnyOf(entities.organisationId, members));
  const conditions = [
    ...(changed.length > 0 ? [isAnyOf(id, changed)] : []),
    ...(owners.length > 0 ? [isAnyOf(entityId, owners)] : []),
    ...(members.length > 0 ? [inArray(entityId, ofMembers)] : []),
  ];
  for (const condition of conditions) {
    const rows = await db
      .selectDistinct({ issuer: certificationAuthorityId })
      .from(credentials)
      .where(and(isNotNull(certificationAuthorityId), condition));
    for (const { issuer } of rows) if (issuer !== null) issuers.add(issuer);
  }
  return [...issuers];
}
