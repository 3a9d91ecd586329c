/** Puts a certification authority on the trust list of an authority. */
import { and, count, eq, isNull } from 'drizzle-orm';
import { formatName } from '../../pki/names/name-string.ts';
import type { PathCertificate } from '../../pki/path/path-certificate.ts';
import { readNewAnchor } from '../../pki/path/trust-anchors.ts';
import type { Tx } from '../../storage/connect.ts';
import { type TrustListPurpose, trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { asField, refusedField } from '../certificate-input.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  MAX_TRUST_LIST_ENTRIES,
  readTrustListEntry,
  type TrustListEntry,
  trustListEntrySnapshot,
} from './trust-list-entry.ts';

export interface NewTrustListEntry {
  purpose: TrustListPurpose;
  /** Of one certificate, as PEM. */
  certificate: string;
  /** For people; the subject of the certificate unless given. */
  name?: string;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed with the `reason` of a CertificateError or
 *   certificate_expired, trust_list_entry_exists, limit_reached, idempotency_key_reused
 */
export async function addTrustListEntry(
  context: ChangeContext,
  authorityId: string,
  { purpose, certificate, name }: NewTrustListEntry,
  idempotency?: Idempotency,
): Promise<TrustListEntry> {
  const { actor, db, now } = context;
  authorise(actor, ACCESS.addTrustListEntry.roles, authorityId);
  await readAuthority(db, actor, authorityId);
  const anchor = asField('/certificate', () => readNewAnchor(certificate));
  const columns = columnsOf(anchor);
  if (columns.notAfter <= now) {
    throw refusedField('/certificate', 'certificate_expired', `has expired at ${columns.notAfter.toISOString()}`);
  }
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (entryId) => {
      const entry: TrustListEntry = {
        ...columns,
        ...{ id: entryId, authorityId, purpose, name: name ?? columns.subject },
        ...{ version: 1, createdAt: now, removedAt: null },
      };
      await insertEntry(tx, entry);
      record({
        action: 'trust_list_entry.add',
        authorityId,
        subjectKind: 'trust_list_entry',
        subjectId: entryId,
        after: trustListEntrySnapshot(entry),
      });
    });
  });
  return readTrustListEntry(db, actor, id);
}

function columnsOf({ der, x5tS256, subject, notBefore, notAfter }: PathCertificate) {
  return {
    certificate: Buffer.from(der).toString('base64'),
    x5tS256,
    subject: formatName(subject, 'readable'),
    notBefore: new Date(notBefore * 1000),
    notAfter: new Date(notAfter * 1000),
  };
}

async function insertEntry(tx: Tx, entry: TrustListEntry): Promise<void> {
  const { authorityId, purpose } = entry;
  try {
    await tx.insert(trustListEntries).values(entry);
  } catch (error) {
    if (!isUniqueViolation(error, 'trust_list_entries_certificate')) throw error;
    const message = `this certificate is on the list for ${purpose} already`;
    throw new RegistryError('trust_list_entry_exists', message, {}, { cause: error });
  }
  const [counted] = await tx
    .select({ entries: count() })
    .from(trustListEntries)
    .where(
      and(
        eq(trustListEntries.authorityId, authorityId),
        eq(trustListEntries.purpose, purpose),
        isNull(trustListEntries.removedAt),
      ),
    );
  if ((counted?.entries ?? 0) <= MAX_TRUST_LIST_ENTRIES) return;
  const message = `a trust list has at most ${MAX_TRUST_LIST_ENTRIES} authorities for one purpose`;
  throw new RegistryError('limit_reached', message);
}
