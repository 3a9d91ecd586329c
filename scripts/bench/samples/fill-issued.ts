/** Certificates that a certification authority of a deployment issued, and revoked in part, past the API: that takes long. */
import { randomBytes } from 'node:crypto';
import { asc } from 'drizzle-orm';
import { recordId } from '../../../src/registry/record-id.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { entities } from '../../../src/storage/schema/entities.ts';

const BATCH = 1_000;
const YEAR_MS = 365 * 86_400_000;

export interface IssuedCounts {
  revoked: number;
  /** Those that count. */
  good: number;
}

/** One that counts. */
export interface IssuedRecord {
  /** Of its credential. */
  id: string;
  /** In hexadecimal. */
  serial: string;
}

/**
 * Shared out among the entities that there are. Lists of revocations and OCSP want their serial numbers and dates alone.
 * @returns those that count
 */
export async function fillIssued(
  databaseUrl: string,
  certificationAuthorityId: string,
  { revoked, good }: IssuedCounts,
): Promise<IssuedRecord[]> {
  await using database = await connectDatabase({ url: databaseUrl, role: 'owner' });
  const { db } = database;
  const owners = await db
    .select({ id: entities.id, authorityId: entities.authorityId })
    .from(entities)
    .orderBy(asc(entities.id));
  const live: IssuedRecord[] = [];
  for (let first = 0; first < revoked + good; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, revoked + good - first) }, (_, offset) => {
      const index = first + offset;
      const owner = owners[index % owners.length];
      if (owner === undefined) throw new RangeError('there are no entities');
      const row = issuedRow(owner, certificationAuthorityId, index < revoked);
      if (index >= revoked) live.push({ id: row.id, serial: row.serial });
      return row;
    });
    await db.insert(credentials).values(rows);
  }
  await db.execute('VACUUM ANALYZE credentials');
  return live;
}

function issuedRow(
  { id: entityId, authorityId }: { id: string; authorityId: string },
  certificationAuthorityId: string,
  isRevoked: boolean,
): typeof credentials.$inferInsert & { serial: string } {
  const now = new Date();
  const id = recordId(now.getTime(), 0);
  // 16 bytes whose highest bit is not set, as ours are.
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  const end = { state: 'revoked', revocationReason: 'key_compromise', revokedAt: now } as const;
  return {
    ...{ id, authorityId, entityId, certificationAuthorityId },
    ...({ kind: 'x509', usage: 'signing', source: 'issued', possession: 'proven' } as const),
    ...{ environment: 'production', kid: id, publicJwk: { kty: 'EC' }, spkiSha256: id, x5tS256: id, x5c: [''] },
    ...{ subject: 'CN=member', issuer: 'CN=bench', serial: bytes.toString('hex').replace(/^0/, '') },
    ...{ notBefore: now, notAfter: new Date(now.getTime() + YEAR_MS) },
    ...(isRevoked ? end : { state: 'active' as const }),
    ...{ stateChangedAt: now, version: 1, createdAt: now },
  };
}
