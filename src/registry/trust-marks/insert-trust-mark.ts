/** Writes a new grant, pending or active, in the transaction of the verb that makes it. */
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import type { ChangeContext } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import type { Candidate } from './eligibility.ts';
import type { TrustMark } from './trust-mark.ts';
import type { TrustMarkType } from './trust-mark-type.ts';

export interface TrustMarkDraft {
  state: 'pending' | 'active';
  stateReason: string | null;
  additionalClaims: JsonObject;
  expiresAt: Date | null;
  requestedBy: TrustMark['requestedBy'];
}

/** @throws RegistryError trust_mark_exists */
export async function insertTrustMark(
  tx: Tx,
  { now }: Pick<ChangeContext, 'now'>,
  id: string,
  type: TrustMarkType,
  { subject, entity }: Candidate,
  draft: TrustMarkDraft,
): Promise<TrustMark> {
  const mark: TrustMark = {
    id,
    authorityId: type.authorityId,
    typeId: type.id,
    subject,
    entityId: entity?.id ?? null,
    ...draft,
    stateChangedAt: now,
    version: 1,
    createdAt: now,
  };
  try {
    await tx.insert(trustMarks).values(mark);
    return mark;
  } catch (error) {
    if (!isUniqueViolation(error, 'trust_marks_live')) throw error;
    const message = `${subject} has such a mark or has asked for one; renew, approve or withdraw that`;
    throw new RegistryError('trust_mark_exists', message, {}, { cause: error });
  }
}

/** @throws RegistryError trust_mark_type_retired */
export function requireActiveType({ state, trustMarkType }: TrustMarkType): void {
  if (state === 'active') return;
  throw new RegistryError('trust_mark_type_retired', `${trustMarkType} is retired; reinstate it first`);
}
