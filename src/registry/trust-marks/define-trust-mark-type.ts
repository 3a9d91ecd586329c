/** Defines a Trust Mark type that an authority issues. */
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { requireDefinedRoles, requireDefinedTypes } from './eligibility.ts';
import { requireRecognisedIssue } from './own-recognition.ts';
import {
  readTrustMarkType,
  type TrustMarkType,
  type TrustMarkTypeSettings,
  trustMarkTypeSnapshot,
} from './trust-mark-type.ts';
import {
  inputOwnership,
  inputTrustMarkLifetime,
  inputTrustMarkTypeName,
  inputTrustMarkTypeSettings,
  requireSignable,
} from './trust-mark-type-input.ts';

/** Life of a mark where nothing else is said: a day, so that a withdrawal soon shows everywhere. */
export const DEFAULT_TRUST_MARK_LIFETIME_SECONDS = 86_400;

export interface NewTrustMarkType extends Partial<TrustMarkTypeSettings> {
  trustMarkType: string;
  name: string;
}

/**
 * The first type makes the authority a Trust Mark issuer: its endpoints are published from then on.
 * @throws RegistryError not_found, role_missing, validation_failed, trust_mark_type_exists, idempotency_key_reused
 */
export async function defineTrustMarkType(
  context: ChangeContext,
  authorityId: string,
  input: NewTrustMarkType,
  idempotency?: Idempotency,
): Promise<TrustMarkType> {
  authorise(context.actor, ['admin'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  const { entityIdentifier: issuer } = authority;
  const { trustMarkType } = input;
  inputTrustMarkTypeName(trustMarkType);
  const { ownership, ...settings } = withDefaults(input);
  inputTrustMarkLifetime(settings.lifetimeSeconds);
  const columns = {
    ...inputTrustMarkTypeSettings(settings),
    ...(await inputOwnership(ownership, { ...context, issuer, trustMarkType })),
  };
  await requireRecognisedIssue(authority, trustMarkType, ownership, context);
  const sample = { subject: issuer, additionalClaims: {}, expiresAt: null };
  requireSignable(issuer, { ...columns, trustMarkType }, sample, context);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (typeId) => {
      await requireDefinedTypes(tx, authorityId, columns.eligibility);
      await requireDefinedRoles(tx, authorityId, columns.eligibility);
      const type: TrustMarkType = {
        id: typeId,
        authorityId,
        trustMarkType,
        ...columns,
        state: 'active',
        version: 1,
        createdAt: context.now,
      };
      try {
        await tx.insert(trustMarkTypes).values(type);
      } catch (error) {
        if (!isUniqueViolation(error, 'trust_mark_types_authority_id_trust_mark_type_key')) throw error;
        const message = `this authority has defined ${trustMarkType} already; change it, or reinstate it if it is retired`;
        throw new RegistryError('trust_mark_type_exists', message, {}, { cause: error });
      }
      record({
        action: 'trust_mark_type.define',
        authorityId,
        subjectKind: 'trust_mark_type',
        subjectId: typeId,
        after: trustMarkTypeSnapshot(type),
      });
    });
  });
  return readTrustMarkType(context.db, context.actor, id);
}

function withDefaults(input: NewTrustMarkType): TrustMarkTypeSettings {
  return {
    name: input.name,
    description: input.description ?? null,
    logoUri: input.logoUri ?? null,
    ref: input.ref ?? null,
    lifetimeSeconds: input.lifetimeSeconds === undefined ? DEFAULT_TRUST_MARK_LIFETIME_SECONDS : input.lifetimeSeconds,
    additionalClaims: input.additionalClaims ?? {},
    eligibility: input.eligibility ?? {},
    approval: input.approval ?? 'manual',
    ownership: input.ownership ?? null,
  };
}
