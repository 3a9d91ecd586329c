/** Records that a subject asks for a Trust Mark; it has it at once where the type says so. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { inputIdentifier } from '../claims-input.ts';
import { candidate, requireEligible } from './eligibility.ts';
import { insertTrustMark, requireActiveType } from './insert-trust-mark.ts';
import { type NamedTrustMark, readTrustMark, type TrustMark, trustMarkSnapshot } from './trust-mark.ts';
import { lockTrustMarkType, readTrustMarkType } from './trust-mark-type.ts';
import { requireSignable } from './trust-mark-type-input.ts';

/**
 * Whoever has the mark, or has asked already, gets what there is: asking twice changes nothing. Approval is automatic
 * only for subjects from which no mark of the type was ever taken or withheld: what a person decided, a person undoes.
 * @param requestedBy `entity` when the subject itself proved who it is
 * @throws RegistryError not_found, role_missing, validation_failed, trust_mark_type_retired, not_eligible
 */
export async function requestTrustMark(
  context: ChangeContext,
  { typeId, subject }: { typeId: string; subject: string },
  requestedBy: TrustMark['requestedBy'] = 'authority',
): Promise<NamedTrustMark> {
  const { authorityId } = await readTrustMarkType(context.db, context.actor, typeId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { entityIdentifier: issuer } = await readAuthority(context.db, context.actor, authorityId);
  inputIdentifier(subject, context, '/subject');
  const id = await changeRegistry(context, async (tx, record) => {
    // Two requests at once wait for each other here, so that the second finds the first.
    const type = await lockTrustMarkType(tx, typeId, 'update');
    const earlier = await earlierMarks(tx, typeId, subject);
    const live = earlier.find(({ state }) => state === 'pending' || state === 'active');
    if (live !== undefined) return live.id;
    requireActiveType(type);
    requireSignable(issuer, type, { subject, additionalClaims: {}, expiresAt: null }, context);
    const who = await candidate(tx, authorityId, subject);
    await requireEligible(tx, type, who, context.now);
    const isLeft = who.entity === undefined && (await wasEnrolled(tx, authorityId, subject));
    const isApproved = type.approval === 'automatic' && earlier.length === 0 && !isLeft;
    const mark = await insertTrustMark(tx, context, context.newId(), type, who, {
      state: isApproved ? 'active' : 'pending',
      stateReason: isApproved ? 'eligible; the type approves by itself' : null,
      additionalClaims: {},
      expiresAt: null,
      requestedBy,
    });
    record({
      action: 'trust_mark.request',
      authorityId,
      subjectKind: 'trust_mark',
      subjectId: mark.id,
      after: trustMarkSnapshot(mark),
    });
    return mark.id;
  });
  return readTrustMark(context.db, context.actor, id);
}

/** Whether the subject has a record here, of whatever state: one whose record is closed needs a person's decision. */
async function wasEnrolled(tx: Tx, authorityId: string, subject: string): Promise<boolean> {
  const records = await tx
    .select({ id: entities.id })
    .from(entities)
    .where(and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, subject)))
    .limit(1);
  return records.length > 0;
}

async function earlierMarks(tx: Tx, typeId: string, subject: string): Promise<Pick<TrustMark, 'id' | 'state'>[]> {
  return await tx
    .select({ id: trustMarks.id, state: trustMarks.state })
    .from(trustMarks)
    .where(
      and(
        eq(trustMarks.typeId, typeId),
        eq(trustMarks.subject, subject),
        inArray(trustMarks.state, ['pending', 'active', 'rejected', 'withdrawn']),
      ),
    );
}
