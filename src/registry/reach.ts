/** What lists show of what there is: the condition that keeps them to the records in reach. */
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Role } from '../storage/schema/api-tokens.ts';
import { type Actor, requireAuthority, requireRole } from './actor.ts';

/** Where a list has the ids of what its records belong to. */
export interface PlaceColumns {
  authority: PgColumn;
  /** Left out of a list that members see nothing of. */
  organisation?: PgColumn;
  /** Left out of a list that a token of an entity sees nothing of. */
  entity?: PgColumn;
}

/**
 * Lets somebody with one of the roles list, and says what he sees: what belongs to his authorities and, if he acts for
 * organisations or an entity, to these.
 * @param authorityId that alone is asked for
 * @throws RegistryError role_missing, not_found when that authority is out of reach
 */
export function inReach(
  actor: Actor,
  roles: readonly Role[],
  columns: PlaceColumns,
  authorityId?: string,
): SQL | undefined {
  requireRole(actor, roles);
  if (authorityId !== undefined) requireAuthority(actor, authorityId);
  return and(
    oneOf(columns.authority, actor.authorities),
    oneOf(columns.organisation, actor.organisations),
    oneOf(columns.entity, actor.entityId === undefined ? 'all' : new Set([actor.entityId])),
    authorityId === undefined ? undefined : eq(columns.authority, authorityId),
  );
}

function oneOf(column: PgColumn | undefined, reached: 'all' | ReadonlySet<string>): SQL | undefined {
  if (reached === 'all') return undefined;
  return column === undefined ? sql`false` : inArray(column, [...reached]);
}
