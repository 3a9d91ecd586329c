/** Trust Mark types as records: what an authority issues, and on what conditions. */
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type Eligibility, trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';

export type TrustMarkType = typeof trustMarkTypes.$inferSelect;

/** A foreign owner of a type, with the keys that the Trust Anchor lists for it and its delegation to us. */
export interface Ownership {
  owner: string;
  jwks: { keys: JsonObject[] };
  /** A compact JWT. */
  delegation: string;
}

/** What may be changed after a type was defined; its name may not. */
export interface TrustMarkTypeSettings {
  name: string;
  description: string | null;
  /** `logo_uri` and `ref` of every mark. */
  logoUri: string | null;
  ref: string | null;
  /** Life of a signed mark; null: without `exp`. */
  lifetimeSeconds: number | null;
  additionalClaims: JsonObject;
  eligibility: Eligibility;
  approval: TrustMarkType['approval'];
  ownership: Ownership | null;
}

/** Whether marks of a type may be given out now: it is not retired, and the owner's delegation, if any, lasts. */
export function isIssued({ state, delegationExpiresAt }: TrustMarkType, now: Date): boolean {
  return state === 'active' && (delegationExpiresAt === null || delegationExpiresAt > now);
}

/** @throws RegistryError not_found, role_missing */
export async function readTrustMarkType(db: Db | Tx, actor: Actor, typeId: string): Promise<TrustMarkType> {
  requireRole(actor, READERS);
  if (!isRecordId(typeId)) throw notFound('trust mark type', typeId);
  const [type] = await db.select().from(trustMarkTypes).where(eq(trustMarkTypes.id, typeId));
  if (type === undefined || !reaches(actor, type.authorityId)) throw notFound('trust mark type', typeId);
  return type;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listTrustMarkTypes(
  db: Db,
  actor: Actor,
  filter: { authorityId?: string; trustMarkType?: string },
  request: PageRequest,
): Promise<Page<TrustMarkType>> {
  requireRole(actor, READERS);
  if (filter.authorityId !== undefined) authorise(actor, READERS, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select()
    .from(trustMarkTypes)
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(trustMarkTypes.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(trustMarkTypes.authorityId, filter.authorityId),
        filter.trustMarkType === undefined ? undefined : eq(trustMarkTypes.trustMarkType, filter.trustMarkType),
        after === undefined ? undefined : gt(trustMarkTypes.id, after),
      ),
    )
    .orderBy(asc(trustMarkTypes.id))
    .limit(request.limit + 1);
  return pageOf(rows, request);
}

/** Takes hold of a type until the transaction ends. @throws RegistryError not_found */
export async function lockTrustMarkType(tx: Tx, typeId: string, strength: 'update' | 'share'): Promise<TrustMarkType> {
  const [type] = await tx.select().from(trustMarkTypes).where(eq(trustMarkTypes.id, typeId)).for(strength);
  if (type === undefined) throw notFound('trust mark type', typeId);
  return type;
}

export function trustMarkTypeSnapshot(type: TrustMarkType): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, delegationExpiresAt, eligibility, ...fields } = type;
  return {
    ...fields,
    eligibility: { ...eligibility },
    delegationExpiresAt: delegationExpiresAt?.toISOString() ?? null,
  };
}
