/** Changes what a certification authority gives: for how long, and where its lists are. What it issued stays as it is. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { certificationAuthorities } from '../../storage/schema/certification-authorities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type CertificateProfile,
  type CertificationAuthority,
  type CertificationSettings,
  certificationAuthoritySnapshot,
} from './certification-authority.ts';
import { requireValidSettings } from './certification-settings.ts';
import { nameTaken } from './create-certification-authority.ts';
import { lockCertificationAuthority, readCertificationAuthority } from './read-certification-authority.ts';

export interface CertificationChanges extends Partial<Omit<CertificationSettings, 'validityDays'>> {
  /** Profiles that are not named stay as they are. */
  validityDays?: Partial<Record<CertificateProfile, number>>;
}

/**
 * What is so already changes nothing. The name for people changes; that in its certificate stays.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, illegal_transition when it is retired,
 *   certification_authority_exists
 */
export async function updateCertificationAuthority(
  context: ChangeContext,
  id: string,
  changes: CertificationChanges,
  expectedVersion?: number,
): Promise<CertificationAuthority> {
  const { authorityId } = await readCertificationAuthority(context.db, context.actor, id);
  authorise(context.actor, ACCESS.updateCertificationAuthority.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockCertificationAuthority(tx, id);
    requireVersion(before, expectedVersion);
    if (before.state === 'retired') {
      throw new RegistryError('illegal_transition', 'it is retired: nothing of it changes', { from: 'retired' });
    }
    const validityDays = withChanges(before.validityDays, changes.validityDays ?? {});
    const after = { ...withChanges(before, { ...changes, validityDays }), version: before.version + 1 };
    requireValidSettings(after);
    if (jsonEquals(certificationAuthoritySnapshot(before), certificationAuthoritySnapshot(after))) return;
    const { name, publicUrl, overlapDays, revocationListLifetimeSeconds, version } = after;
    try {
      await tx
        .update(certificationAuthorities)
        .set({ name, publicUrl, validityDays, overlapDays, revocationListLifetimeSeconds, version })
        .where(eq(certificationAuthorities.id, id));
    } catch (error) {
      if (!isUniqueViolation(error, 'certification_authorities_name')) throw error;
      throw nameTaken(name, error);
    }
    record({
      action: 'certification_authority.update',
      authorityId,
      subjectKind: 'certification_authority',
      subjectId: id,
      before: certificationAuthoritySnapshot(before),
      after: certificationAuthoritySnapshot(after),
    });
  });
  return readCertificationAuthority(context.db, context.actor, id);
}
