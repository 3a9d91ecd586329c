/** Who may get a Trust Mark of a type: one rule a function. A new kind of rule is a member of `Eligibility` and a function here. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { roles } from '../../storage/schema/roles.ts';
import { type Eligibility, trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { entityTypes } from '../entities/entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { givenRolesOf, heldRoles } from '../roles/given-roles.ts';
import { LIVE_STATES } from '../states.ts';
import { standingTypeIds } from './standing.ts';
import type { TrustMarkType } from './trust-mark-type.ts';

/** Who asks for a mark, or is to be given one. */
export interface Candidate {
  subject: string;
  /** Its live record under the authority, if it is enrolled there. */
  entity: EnrolledSubject | undefined;
}

type EnrolledSubject = Pick<
  typeof entities.$inferSelect,
  'id' | 'state' | 'verifiedEntityTypes' | 'registeredEntityTypes'
>;

/** The record stands still until the transaction ends, so that what is found here holds for it. */
export async function candidate(tx: Tx, authorityId: string, subject: string): Promise<Candidate> {
  const { id, state, verifiedEntityTypes, registeredEntityTypes } = entities;
  const [entity] = await tx
    .select({ id, state, verifiedEntityTypes, registeredEntityTypes })
    .from(entities)
    .where(
      and(
        eq(entities.authorityId, authorityId),
        eq(entities.entityIdentifier, subject),
        inArray(entities.state, [...LIVE_STATES]),
      ),
    )
    .for('share');
  return { subject, entity };
}

/** @throws RegistryError not_eligible, with every rule that is not met */
export async function requireEligible(tx: Tx, type: TrustMarkType, who: Candidate, now: Date): Promise<void> {
  const complaints = [
    playsEntityType(type, who),
    await holdsTrustMarks(tx, type, who, now),
    await holdsRole(tx, type, who, now),
  ];
  const unmet = complaints.filter((complaint) => complaint !== undefined);
  if (unmet.length === 0) return;
  throw new RegistryError('not_eligible', `${who.subject} ${unmet.join(', and ')}`, { unmet });
}

/**
 * A grant, or the request for one, that goes with a record here ends with it, unless the subject was enrolled anew.
 * @throws RegistryError not_eligible
 */
export function requireNotLeft({ entityId }: { entityId: string | null }, { subject, entity }: Candidate): void {
  if (entityId === null || entity !== undefined) return;
  const message = `${subject} is enrolled here no longer; end this one, and grant another if it is to have one all the same`;
  throw new RegistryError('not_eligible', message, { unmet: ['is enrolled here no longer'] });
}

function playsEntityType({ eligibility: { entityTypes: wanted } }: TrustMarkType, who: Candidate): string | undefined {
  if (wanted === undefined) return undefined;
  if (who.entity === undefined) return `is not enrolled here, and the type is for ${wanted.join(' or ')}`;
  const played = entityTypes(who.entity);
  return wanted.some((type) => played.includes(type)) ? undefined : `plays none of ${wanted.join(', ')}`;
}

async function holdsTrustMarks(tx: Tx, type: TrustMarkType, who: Candidate, now: Date): Promise<string | undefined> {
  const { trustMarkTypes: wanted = [] } = type.eligibility;
  if (wanted.length === 0) return undefined;
  const held = await standingTypeIds(tx, type.authorityId, who.subject, now);
  const names = await tx
    .select({ id: trustMarkTypes.id, name: trustMarkTypes.trustMarkType })
    .from(trustMarkTypes)
    .where(and(eq(trustMarkTypes.authorityId, type.authorityId), inArray(trustMarkTypes.trustMarkType, wanted)));
  const missing = wanted.filter((name) => !names.some((known) => known.name === name && held.has(known.id)));
  return missing.length === 0 ? undefined : `holds no valid mark of ${missing.join(', ')}`;
}

/** Whoever changes its roles holds the entity's record, as the candidate does. */
async function holdsRole(tx: Tx, type: TrustMarkType, who: Candidate, now: Date): Promise<string | undefined> {
  const { roles: wanted } = type.eligibility;
  if (wanted === undefined) return undefined;
  const given = who.entity === undefined ? [] : await givenRolesOf(tx, who.entity.id);
  if (heldRoles(given, Math.floor(now.getTime() / 1000)).some(({ roleId }) => wanted.includes(roleId)))
    return undefined;
  const named = await tx.select({ name: roles.name }).from(roles).where(inArray(roles.id, wanted));
  const names = named.map(({ name }) => name).sort();
  if (who.entity === undefined) return `is not enrolled here, and the type is for holders of ${names.join(' or ')}`;
  return `holds none of the roles ${names.join(', ')}`;
}

/** Rules name roles that the authority has. @throws RegistryError validation_failed */
export async function requireDefinedRoles(tx: Tx, authorityId: string, eligibility: Eligibility): Promise<void> {
  const { roles: wanted = [] } = eligibility;
  if (wanted.length === 0) return;
  const known = await tx
    .select({ id: roles.id })
    .from(roles)
    .where(and(eq(roles.authorityId, authorityId), inArray(roles.id, wanted)));
  const unknown = wanted.findIndex((id) => known.every((role) => role.id !== id));
  if (unknown !== -1) throw invalidField(`/eligibility/roles/${unknown}`, 'is no role of this authority');
}

/** Rules name types that the authority has, and not the type itself. @throws RegistryError validation_failed */
export async function requireDefinedTypes(
  tx: Tx,
  authorityId: string,
  { trustMarkTypes: wanted = [] }: Eligibility,
  ownId?: string,
): Promise<void> {
  if (wanted.length === 0) return;
  const known = await tx
    .select({ id: trustMarkTypes.id, name: trustMarkTypes.trustMarkType })
    .from(trustMarkTypes)
    .where(and(eq(trustMarkTypes.authorityId, authorityId), inArray(trustMarkTypes.trustMarkType, wanted)));
  wanted.forEach((name, index) => {
    const found = known.find((type) => type.name === name);
    if (found !== undefined && found.id !== ownId) return;
    throw invalidField(`/eligibility/trustMarkTypes/${index}`, 'is no other type that this authority has defined');
  });
}
