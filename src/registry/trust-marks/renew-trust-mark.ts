/** Renews a Trust Mark: another end of the grant, other claims of its own. */
import { eq } from 'drizzle-orm';
import { type JsonObject, jsonEquals } from '../../federation/json.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { candidate, requireEligible, requireNotLeft } from './eligibility.ts';
import { inputEnd } from './grant-trust-mark.ts';
import { requireActiveType } from './insert-trust-mark.ts';
import {
  lockTrustMark,
  type NamedTrustMark,
  readTrustMark,
  requireTrustMarkState,
  type TrustMark,
  trustMarkSnapshot,
} from './trust-mark.ts';
import { lockTrustMarkType } from './trust-mark-type.ts';
import { inputTrustMarkClaims, requireSignable } from './trust-mark-type-input.ts';

export interface Renewal {
  /** End of the grant; null: none. */
  expiresAt?: Date | null;
  additionalClaims?: JsonObject;
}

/**
 * Whoever renews looks at the rules again: the subject must be eligible now. The grant goes over to the subject's present
 * record, where it was enrolled anew. What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition, version_mismatch,
 *   trust_mark_type_retired, not_eligible
 */
export async function renewTrustMark(
  context: ChangeContext,
  trustMarkId: string,
  renewal: Renewal,
  expectedVersion?: number,
): Promise<NamedTrustMark> {
  const { authorityId, typeId } = await readTrustMark(context.db, context.actor, trustMarkId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { entityIdentifier: issuer } = await readAuthority(context.db, context.actor, authorityId);
  inputTrustMarkClaims(renewal.additionalClaims ?? {});
  const { expiresAt, additionalClaims } = renewal;
  const changes = { additionalClaims, expiresAt: expiresAt && inputEnd(expiresAt, context.now) };
  await changeRegistry(context, async (tx, record) => {
    const type = await lockTrustMarkType(tx, typeId, 'share');
    const before = await lockTrustMark(tx, trustMarkId);
    requireTrustMarkState(before, 'active', 'renew');
    requireVersion(before, expectedVersion);
    requireActiveType(type);
    const who = await candidate(tx, authorityId, before.subject);
    const entityId = who.entity?.id ?? before.entityId;
    const after: TrustMark = { ...withChanges(before, changes), entityId, version: before.version + 1 };
    requireSignable(issuer, type, after, context);
    await requireEligible(tx, type, who, context.now);
    requireNotLeft(before, who);
    if (jsonEquals(trustMarkSnapshot(before), trustMarkSnapshot(after))) return;
    await tx.update(trustMarks).set(after).where(eq(trustMarks.id, trustMarkId));
    record({
      action: 'trust_mark.renew',
      authorityId,
      subjectKind: 'trust_mark',
      subjectId: trustMarkId,
      before: trustMarkSnapshot(before),
      after: trustMarkSnapshot(after),
    });
  });
  return readTrustMark(context.db, context.actor, trustMarkId);
}
