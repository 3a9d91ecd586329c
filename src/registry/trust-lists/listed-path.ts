/** The way from a certificate up to the trust list of its authority. */
import { and, asc, eq, isNull } from 'drizzle-orm';
import { findPath } from '../../pki/path/find-path.ts';
import type { PathRefusal } from '../../pki/path/path-refusal.ts';
import { readTrustAnchors, type TrustAnchors } from '../../pki/path/trust-anchors.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import type { CertificatePath, CredentialUsage } from '../../storage/schema/credentials.ts';
import { type TrustListPurpose, trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import type { TRUST_LIST_PURPOSES } from './trust-list-entry.ts';

export type { TrustAnchors };

/** Whether there are trust lists for credentials of this use. */
export function isListable(usage: CredentialUsage): usage is (typeof TRUST_LIST_PURPOSES)[number] {
  return usage !== 'encryption';
}

/** The authorities on a list now. */
export async function readListedAnchors(
  db: Db | Tx,
  authorityId: string,
  purpose: TrustListPurpose,
): Promise<TrustAnchors> {
  const { certificate, x5tS256 } = trustListEntries;
  const entries = await db
    .select({ certificate, x5tS256 })
    .from(trustListEntries)
    .where(
      and(
        eq(trustListEntries.authorityId, authorityId),
        eq(trustListEntries.purpose, purpose),
        isNull(trustListEntries.removedAt),
      ),
    )
    .orderBy(asc(x5tS256));
  return anchorsOf(entries);
}

/** Lists as they were read, by their fingerprints; to read hundreds of certificates takes as many tenths of a millisecond. */
const READ = new Map<string, TrustAnchors>();
const MAX_READ = 20;

export function anchorsOf(entries: readonly { certificate: string; x5tS256: string }[]): TrustAnchors {
  const key = entries.map((entry) => entry.x5tS256).join();
  const known = READ.get(key);
  if (known !== undefined) return known;
  const anchors = readTrustAnchors(entries.map((entry) => derOf(entry.certificate)));
  const [oldest] = READ.keys();
  if (READ.size >= MAX_READ && oldest !== undefined) READ.delete(oldest);
  READ.set(key, anchors);
  return anchors;
}

/**
 * Validates a certificate up to one of the anchors: for `transport` as that of a TLS client; no extended key usage is for
 * what federations sign, so none is asked of `signing`.
 * @param x5c base64 of DER, the leaf first
 */
export function findListedPath(
  x5c: readonly string[],
  purpose: TrustListPurpose,
  anchors: TrustAnchors,
  now: Date,
): CertificatePath | PathRefusal {
  const [leaf = '', ...above] = x5c;
  const found = findPath({
    leaf: derOf(leaf),
    intermediates: above.map(derOf),
    anchors,
    purpose: purpose === 'transport' ? 'clientAuth' : 'signing',
    now: Math.floor(now.getTime() / 1000),
  });
  if ('refusal' in found) return found.refusal;
  const anchor = found.path.at(-1) ?? found.path[0];
  return { anchor: anchor.x5tS256, notAfter: found.notAfter };
}

export function derOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
