/** Delegations that an authority gives as the owner of a Trust Mark type, as records. @see OIDFED §7.2 */
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import { FederationError } from '../../federation/errors.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import type { JsonObject } from '../../federation/json.ts';
import { MAX_TRUST_MARK_SECONDS } from '../../federation/lint/lint-trust-mark.ts';
import { lintTrustMarkDelegation } from '../../federation/lint/lint-trust-mark-delegation.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { trustMarkDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';

export type TrustMarkDelegationRecord = typeof trustMarkDelegations.$inferSelect;

/** Signs claims as an authority; filled by who composes the program. */
export type SignDelegation = (authorityId: string, claims: JsonObject) => Promise<{ jwt: string; kid: string }>;

/** @throws RegistryError not_found, role_missing */
export async function readTrustMarkDelegation(
  db: Db | Tx,
  actor: Actor,
  delegationId: string,
): Promise<TrustMarkDelegationRecord> {
  requireRole(actor, READERS);
  if (!isRecordId(delegationId)) throw notFound('delegation', delegationId);
  const [found] = await db.select().from(trustMarkDelegations).where(eq(trustMarkDelegations.id, delegationId));
  if (found === undefined || !reaches(actor, found.authorityId)) throw notFound('delegation', delegationId);
  return found;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTrustMarkDelegations(
  db: Db,
  actor: Actor,
  filter: { authorityId?: string; issuer?: string },
  request: PageRequest,
): Promise<Page<TrustMarkDelegationRecord>> {
  requireRole(actor, READERS);
  if (filter.authorityId !== undefined) authorise(actor, READERS, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(trustMarkDelegations)
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(trustMarkDelegations.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(trustMarkDelegations.authorityId, filter.authorityId),
        filter.issuer === undefined ? undefined : eq(trustMarkDelegations.issuer, filter.issuer),
        after === undefined ? undefined : gt(trustMarkDelegations.id, after),
      ),
    )
    .orderBy(asc(trustMarkDelegations.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

/** Takes hold of a delegation until the transaction ends. @throws RegistryError not_found */
export async function lockTrustMarkDelegation(tx: Tx, delegationId: string): Promise<TrustMarkDelegationRecord> {
  const [found] = await tx
    .select()
    .from(trustMarkDelegations)
    .where(eq(trustMarkDelegations.id, delegationId))
    .for('update');
  if (found === undefined) throw notFound('delegation', delegationId);
  return found;
}

/** What a delegation says. */
export type DelegationTerms = Pick<TrustMarkDelegationRecord, 'trustMarkType' | 'issuer' | 'ref' | 'expiresAt'>;

/**
 * The claims of a delegation that is given now.
 * @throws RegistryError validation_failed where they could not be signed
 */
export function delegationClaims(
  owner: string,
  { trustMarkType, issuer, ref, expiresAt }: DelegationTerms,
  now: Date,
  options: IdentifierOptions,
): JsonObject {
  const claims: JsonObject = {
    iss: owner,
    sub: issuer,
    trust_mark_type: trustMarkType,
    iat: Math.floor(now.getTime() / 1000),
  };
  if (ref !== null) claims['ref'] = ref;
  if (expiresAt !== null) claims['exp'] = Math.floor(expiresAt.getTime() / 1000);
  try {
    lintTrustMarkDelegation(claims, { ...options, maxLifetimeSeconds: MAX_TRUST_MARK_SECONDS });
    return claims;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw invalidField(FIELDS[error.at] ?? '', error.message);
  }
}

const FIELDS: Readonly<Record<string, string>> = {
  '/sub': '/issuer',
  '/trust_mark_type': '/trustMarkType',
  '/ref': '/ref',
  '/exp': '/expiresAt',
};

export function trustMarkDelegationSnapshot(delegation: TrustMarkDelegationRecord): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, expiresAt, ...fields } = delegation;
  return { ...fields, expiresAt: expiresAt?.toISOString() ?? null };
}
