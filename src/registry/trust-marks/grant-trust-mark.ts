/** Grants a Trust Mark to a subject, enrolled here or not. */
import type { JsonObject } from '../../federation/json.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { inputIdentifier } from '../claims-input.ts';
import { invalidField } from '../registry-error.ts';
import { candidate, requireEligible } from './eligibility.ts';
import { insertTrustMark, requireActiveType } from './insert-trust-mark.ts';
import { type NamedTrustMark, readTrustMark, trustMarkSnapshot } from './trust-mark.ts';
import { lockTrustMarkType, readTrustMarkType } from './trust-mark-type.ts';
import { inputTrustMarkClaims, requireSignable } from './trust-mark-type-input.ts';

export interface NewTrustMark {
  typeId: string;
  /** Entity Identifier of who bears the mark. */
  subject: string;
  additionalClaims?: JsonObject;
  /** End of the grant; null: none. */
  expiresAt?: Date | null;
}

/**
 * The decision of a person takes the place of approval; the rules of eligibility hold all the same.
 * @throws RegistryError not_found, role_missing, validation_failed, trust_mark_type_retired, not_eligible,
 *   trust_mark_exists, idempotency_key_reused
 */
export async function grantTrustMark(
  context: ChangeContext,
  input: NewTrustMark,
  idempotency?: Idempotency,
): Promise<NamedTrustMark> {
  const { authorityId } = await readTrustMarkType(context.db, context.actor, input.typeId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { entityIdentifier: issuer } = await readAuthority(context.db, context.actor, authorityId);
  const { additionalClaims = {} } = input;
  const subject = inputIdentifier(input.subject, context, '/subject');
  inputTrustMarkClaims(additionalClaims);
  const expiresAt = input.expiresAt ? inputEnd(input.expiresAt, context.now) : null;
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (trustMarkId) => {
      const type = await lockTrustMarkType(tx, input.typeId, 'share');
      requireActiveType(type);
      requireSignable(issuer, type, { subject, additionalClaims, expiresAt }, context);
      const who = await candidate(tx, authorityId, subject);
      await requireEligible(tx, type, who, context.now);
      const mark = await insertTrustMark(tx, context, trustMarkId, type, who, {
        ...{ state: 'active', stateReason: null, requestedBy: 'authority' },
        ...{ additionalClaims, expiresAt },
      });
      record({
        action: 'trust_mark.grant',
        authorityId,
        subjectKind: 'trust_mark',
        subjectId: trustMarkId,
        after: trustMarkSnapshot(mark),
      });
    });
  });
  return readTrustMark(context.db, context.actor, id);
}

/** The end of a grant in whole seconds, as a mark tells it. @throws RegistryError validation_failed */
export function inputEnd(expiresAt: Date, now: Date): Date {
  const end = new Date(Math.floor(expiresAt.getTime() / 1000) * 1000);
  if (end > now) return end;
  throw invalidField('/expiresAt', 'is a time to come, or null for no end');
}
