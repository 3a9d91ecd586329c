/** Retires a certification authority: it issues nothing from then on, and goes on answering for what it issued. */
import { eq } from 'drizzle-orm';
import { certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import {
  type CertificationAuthority,
  type CertificationAuthorityRow,
  certificationAuthoritySnapshot,
} from './certification-authority.ts';
import { lockCertificationAuthority, readCertificationAuthority } from './read-certification-authority.ts';

/**
 * For good. Its certificates count on until they end or are revoked; requests that wait for it can be rejected only.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is retired already
 */
export async function retireCertificationAuthority(
  context: ChangeContext,
  id: string,
  reason: string,
  expectedVersion?: number,
): Promise<CertificationAuthority> {
  const { authorityId } = await readCertificationAuthority(context.db, context.actor, id);
  authorise(context.actor, ACCESS.retireCertificationAuthority.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockCertificationAuthority(tx, id);
    if (before.state === 'retired') {
      throw new RegistryError('illegal_transition', 'it is retired already', { from: 'retired', to: 'retired' });
    }
    requireVersion(before, expectedVersion);
    const change = { state: 'retired' as const, retiredAt: context.now, version: before.version + 1 };
    await tx.update(certificationAuthorities).set(change).where(eq(certificationAuthorities.id, id));
    const after: CertificationAuthorityRow = { ...before, ...change };
    record({
      action: 'certification_authority.retire',
      authorityId,
      subjectKind: 'certification_authority',
      subjectId: id,
      before: certificationAuthoritySnapshot(before),
      after: certificationAuthoritySnapshot(after),
      reason,
    });
  });
  return readCertificationAuthority(context.db, context.actor, id);
}
