/** The entities that a role was given to: held still while the role changes, told that it did. */
import { and, asc, eq, exists, inArray, type SQL, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { notFound } from '../actor.ts';
import { mergedPolicy, type PolicyField } from '../claims-input.ts';
import { LIVE_STATES } from '../states.ts';
import { type GivenRole, givenRoles } from './given-roles.ts';

/** An entity as the answer to a change names it. */
export interface Holder {
  id: string;
  entityIdentifier: string;
  name: string | null;
  state: ParticipantState;
  metadataPolicy: JsonObject;
}

const COLUMNS = {
  id: entities.id,
  entityIdentifier: entities.entityIdentifier,
  name: entities.name,
  state: entities.state,
  metadataPolicy: entities.metadataPolicy,
};

/** Whose: of a role, or of one organisation's assignment of it. */
export type Held = { roleId: string } | { roleAssignmentId: string };

/**
 * Those that were given it, in the order of their ids, until the transaction ends. Their role is locked already
 * (lockRole), so that there come no others.
 */
export async function lockHolders(tx: Tx, held: Held): Promise<Holder[]> {
  return await tx
    .select(COLUMNS)
    .from(entities)
    .where(inArray(entities.id, holderIds(tx, held)))
    .orderBy(asc(entities.id))
    .for('no key update');
}

/** Their records change with what is said about them: older views of them do not count any more. */
export async function touchHolders(tx: Tx, held: Held, now: Date): Promise<void> {
  await tx
    .update(entities)
    .set({ version: sql`${entities.version} + 1`, updatedAt: now })
    .where(inArray(entities.id, holderIds(tx, held)));
}

/** The same where a date has come: what is said is another, and nobody decided anything anew. */
export async function markHoldersUpdated(tx: Tx, held: Held, now: Date): Promise<void> {
  await tx
    .update(entities)
    .set({ updatedAt: now })
    .where(inArray(entities.id, holderIds(tx, held)));
}

function holderIds(tx: Tx, held: Held) {
  const isIts =
    'roleId' in held ? eq(roleAssignments.roleId, held.roleId) : eq(roleAssignments.id, held.roleAssignmentId);
  return tx
    .select({ entityId: entityRoleAssignments.entityId })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .where(and(isIts, eq(entityRoleAssignments.state, 'active')));
}

/** Whether an entity was given any role. */
export function hasRole(tx: Tx): SQL {
  const given = tx
    .select({ one: sql`1` })
    .from(entityRoleAssignments)
    .where(and(eq(entityRoleAssignments.entityId, entities.id), eq(entityRoleAssignments.state, 'active')));
  return exists(given);
}

/** Those about whom something is said, or may be again. */
export function liveHolders(holders: readonly Holder[]): Holder[] {
  return holders.filter(({ state }) => LIVE_STATES.includes(state));
}

/**
 * Whether, as things stand in the transaction, the policies of each entity's roles go together with its own and its
 * authority's default, whatever the clock says of the roles. The default is held still.
 * @throws RegistryError policy_conflict, naming the first entity where they do not
 */
export async function requireMergeablePolicies(
  tx: Tx,
  authorityId: string,
  holders: readonly Holder[],
  field: PolicyField,
): Promise<void> {
  const [authority] = await tx
    .select({ defaultMetadataPolicy: authorities.defaultMetadataPolicy })
    .from(authorities)
    .where(eq(authorities.id, authorityId))
    .for('share');
  if (authority === undefined) throw notFound('authority', authorityId);
  await requireMergeable(tx, authority.defaultMetadataPolicy, liveHolders(holders), field);
}

/** Many have the same roles, and nothing of their own: each combination is merged once. */
export async function requireMergeable(
  tx: Tx,
  authorityDefault: JsonObject,
  holders: readonly Pick<Holder, 'id' | 'entityIdentifier' | 'metadataPolicy'>[],
  field: PolicyField,
): Promise<void> {
  const given = await givenRoles(
    tx,
    holders.map(({ id }) => id),
  );
  const merged = new Set<string>();
  for (const { id, entityIdentifier, metadataPolicy } of holders) {
    const roles: readonly GivenRole[] = given.get(id) ?? [];
    const combination = JSON.stringify([roles.map(({ roleId }) => roleId), metadataPolicy]);
    if (merged.has(combination)) continue;
    merged.add(combination);
    mergedPolicy({ authorityDefault, roles, own: metadataPolicy }, entityIdentifier, field);
  }
}
