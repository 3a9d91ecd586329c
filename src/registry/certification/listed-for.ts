/** On which trust lists of its authority a certification authority stands, itself or by one of those above it. */
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { sha256 } from '../../pki/public-key.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type TrustListPurpose, trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import type { CertificationAuthorityRow } from './certification-authority.ts';

export async function listedFor(
  db: Db | Tx,
  { authorityId, x5c }: Pick<CertificationAuthorityRow, 'authorityId' | 'x5c'>,
): Promise<TrustListPurpose[]> {
  if (x5c === null) return [];
  const table = trustListEntries;
  const fingerprints = x5c.map((certificate) => sha256(Buffer.from(certificate, 'base64')));
  const rows = await db
    .selectDistinct({ purpose: table.purpose })
    .from(table)
    .where(and(eq(table.authorityId, authorityId), isNull(table.removedAt), inArray(table.x5tS256, fingerprints)));
  return rows.map(({ purpose }) => purpose).toSorted();
}
