/** A certificate that another one is to take the place of: issued here, to the same entity, and it counts. */
import { and, eq } from 'drizzle-orm';
import { parsePathCertificate } from '../../pki/path/path-certificate.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import { type CertificateProfile, certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import type { AuditEntry } from '../change.ts';
import { type CredentialRow, credentialSnapshot } from '../credentials/credential.ts';
import { credentialState } from '../credentials/credential-standing.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { derOf } from '../trust-lists/listed-path.ts';
import { type CertificateSubject, isOfSubject } from './certificate-subject.ts';

export interface Renewable {
  credential: CredentialRow;
  /** What it was issued for. */
  profile: CertificateProfile;
  /** Id of who issued it; undefined where that one issues nothing more. */
  activeIssuer: string | undefined;
}

/** @throws RegistryError validation_failed, illegal_transition when it does not count, or another one renews it already */
export async function readRenewable(
  db: Db | Tx,
  entityId: string,
  credentialId: string,
  now: Date,
): Promise<Renewable> {
  const [found] = isRecordId(credentialId)
    ? await db
        .select({ credential: credentials, profile: certificateRequests.profile, issuer: certificationAuthorities })
        .from(credentials)
        .innerJoin(certificateRequests, eq(certificateRequests.credentialId, credentials.id))
        .innerJoin(certificationAuthorities, eq(certificationAuthorities.id, credentials.certificationAuthorityId))
        .where(and(eq(credentials.id, credentialId), eq(credentials.entityId, entityId)))
    : [];
  if (found === undefined) throw invalidField('/replaces', 'is no certificate of this entity that was issued here');
  const { credential, profile, issuer } = found;
  requireRenewable(credential, now);
  return { credential, profile, activeIssuer: issuer.state === 'active' ? issuer.id : undefined };
}

/**
 * What a certificate of ours was issued for, and to whom.
 * @throws RegistryError not_active unless it was issued here
 */
export async function readProfile(
  db: Db,
  credentialId: string,
): Promise<{ profile: CertificateProfile; entityId: string }> {
  const { profile, entityId, credentialId: issued } = certificateRequests;
  const [found] = isRecordId(credentialId)
    ? await db.select({ profile, entityId }).from(certificateRequests).where(eq(issued, credentialId))
    : [];
  if (found !== undefined) return found;
  throw new RegistryError('not_active', 'the certificate presented was not issued here; ask for one with a code');
}

/** Whether nobody has to look at what is to come: it says of the same entity the same as before. */
export function saysTheSame({ credential }: Renewable, subject: CertificateSubject): boolean {
  const [leaf = ''] = credential.x5c ?? [];
  return isOfSubject(parsePathCertificate(derOf(leaf)), subject);
}

/**
 * Lets it count beside its successor for so many days, and no longer; its entity is held.
 * @throws RegistryError not_found, illegal_transition
 */
export async function supersede(
  tx: Tx,
  { credential: { id, authorityId } }: Renewable,
  { overlapDays, now }: { overlapDays: number; now: Date },
  record: (entry: AuditEntry) => void,
): Promise<void> {
  const [before] = await tx.select().from(credentials).where(eq(credentials.id, id)).for('update');
  if (before === undefined) throw new Error(`the credential ${id} is gone; credentials are never deleted`);
  requireRenewable(before, now);
  const supersededAt = new Date(now.getTime() + overlapDays * 86_400_000);
  const change = { supersededAt, version: before.version + 1 };
  await tx.update(credentials).set(change).where(eq(credentials.id, id));
  record({
    action: 'credential.supersede',
    authorityId,
    subjectKind: 'credential',
    subjectId: id,
    before: credentialSnapshot(before),
    after: credentialSnapshot({ ...before, ...change }),
  });
}

function requireRenewable(credential: CredentialRow, now: Date): void {
  const state = credentialState(credential, now);
  if (state !== 'active') {
    const message = `cannot renew a certificate that is ${state}; ask for a new one, which somebody has to approve`;
    throw new RegistryError('illegal_transition', message, { from: state, allowed: [] });
  }
  if (credential.supersededAt === null) return;
  const message = `another one takes its place at ${credential.supersededAt.toISOString()}; renew that one`;
  throw new RegistryError('illegal_transition', message, { from: 'active', allowed: ['revoke'] });
}
