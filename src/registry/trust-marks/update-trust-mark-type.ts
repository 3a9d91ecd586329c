/** Changes what the marks of a type say, how long they live, and who may get one. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { MAX_TRUST_MARK_BYTES } from '../../federation/lint/lint-trust-mark.ts';
import type { Tx } from '../../storage/connect.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { invalidField } from '../registry-error.ts';
import { requireDefinedRoles, requireDefinedTypes } from './eligibility.ts';
import { requireRecognisedIssue } from './own-recognition.ts';
import { buildTrustMark } from './trust-mark-claims.ts';
import {
  lockTrustMarkType,
  readTrustMarkType,
  type TrustMarkType,
  type TrustMarkTypeSettings,
  trustMarkTypeSnapshot,
} from './trust-mark-type.ts';
import {
  inputOwnership,
  inputTrustMarkLifetime,
  inputTrustMarkTypeSettings,
  requireSignable,
} from './trust-mark-type-input.ts';

/**
 * Marks follow at once: what is signed from now on says the new. Marks signed before stay what they are until they
 * expire. Settings that are so already change nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch
 */
export async function updateTrustMarkType(
  context: ChangeContext,
  typeId: string,
  changes: Partial<TrustMarkTypeSettings>,
  expectedVersion?: number,
): Promise<TrustMarkType> {
  const { authorityId, trustMarkType } = await readTrustMarkType(context.db, context.actor, typeId);
  authorise(context.actor, ['admin'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  const { entityIdentifier: issuer } = authority;
  const { ownership, ...settings } = changes;
  const owned = ownership === undefined ? {} : await inputOwnership(ownership, { ...context, issuer, trustMarkType });
  if (ownership !== undefined) await requireRecognisedIssue(authority, trustMarkType, ownership, context);
  return changeRegistry(context, async (tx, record) => {
    const before = await lockTrustMarkType(tx, typeId, 'update');
    requireVersion(before, expectedVersion);
    // One from before there were limits stays until another is given.
    if (settings.lifetimeSeconds !== undefined) inputTrustMarkLifetime(settings.lifetimeSeconds);
    const valid = inputTrustMarkTypeSettings(withChanges(before, settings));
    const after: TrustMarkType = { ...before, ...valid, ...owned, version: before.version + 1 };
    if (jsonEquals(trustMarkTypeSnapshot(before), trustMarkTypeSnapshot(after))) return before;
    if (settings.eligibility !== undefined) {
      await requireDefinedTypes(tx, authorityId, after.eligibility, typeId);
      await requireDefinedRoles(tx, authorityId, after.eligibility);
    }
    requireSignable(issuer, after, { subject: issuer, additionalClaims: {}, expiresAt: null }, context);
    await requireRoom(tx, issuer, after);
    await tx.update(trustMarkTypes).set(after).where(eq(trustMarkTypes.id, typeId));
    record({
      action: 'trust_mark_type.update',
      authorityId,
      subjectKind: 'trust_mark_type',
      subjectId: typeId,
      before: trustMarkTypeSnapshot(before),
      after: trustMarkTypeSnapshot(after),
    });
    return after;
  });
}

/** The longest mark granted already can still be signed. @throws RegistryError validation_failed */
async function requireRoom(tx: Tx, issuer: string, type: TrustMarkType): Promise<void> {
  const [longest] = await tx
    .select({
      subject: sql<number>`coalesce(max(octet_length(${trustMarks.subject})), 0)::int`,
      claims: sql<number>`coalesce(max(octet_length(${trustMarks.additionalClaims}::text)), 0)::int`,
    })
    .from(trustMarks)
    .where(and(eq(trustMarks.typeId, type.id), inArray(trustMarks.state, ['pending', 'active'])));
  const ofType = buildTrustMark(issuer, type, { subject: '', additionalClaims: {} });
  const bytes = Buffer.byteLength(JSON.stringify({ ...ofType, iat: 0, exp: 0 })) + 2 * NUMBER_BYTES;
  const most = bytes + (longest?.subject ?? 0) + (longest?.claims ?? 0);
  if (most <= MAX_TRUST_MARK_BYTES) return;
  throw invalidField('/additionalClaims', `would leave too little room for marks granted already: ${most} bytes`);
}

/** Digits of a time. */
const NUMBER_BYTES = 12;
