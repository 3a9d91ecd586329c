/** Reads what an authority says about a subordinate right now: only about active ones, with what is signed already. */
import { and, asc, eq, getTableColumns, isNull, sql } from 'drizzle-orm';
import type { Jwk } from '../../federation/jwk-set.ts';
import { composedOnce } from '../../storage/composed-once.ts';
import type { Db } from '../../storage/connect.ts';
import { entities, entityKeys } from '../../storage/schema/entities.ts';
import { issuedStatements } from '../../storage/schema/issued-statements.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { type GivenRole, givenRolesJson, inRoleOrder } from '../roles/given-roles.ts';
import type { EntityRow, RegisteredKey } from './entity.ts';

export type StoredStatement = typeof issuedStatements.$inferSelect;

/** What a statement is made from; checks and evidence are large and stay behind. */
const { checks: _, evidence: __, ...COLUMNS } = getTableColumns(entities);

export interface Subordinate {
  entity: Omit<EntityRow, 'checks' | 'evidence'>;
  keys: RegisteredKey[];
  /** In the order of their names; the clock says which of them count. */
  roles: GivenRole[];
  /** The statement as last signed, by whichever node. */
  stored: StoredStatement | undefined;
}

/** @returns undefined unless the entity and its organisation are both active */
export async function readSubordinate(
  db: Db,
  authorityId: string,
  entityIdentifier: string,
): Promise<Subordinate | undefined> {
  const rows = await subordinateQuery(db).execute({ authorityId, entityIdentifier });
  const [first] = rows;
  if (first === undefined) return undefined;
  const keys = rows.flatMap(({ key }) =>
    key === null ? [] : [{ jwk: key.publicJwk as Jwk, expiresAt: key.expiresAt }],
  );
  const roles = first.roles === null ? [] : inRoleOrder(first.roles);
  return { entity: first.entity, keys, roles, stored: first.stored ?? undefined };
}

const subordinateQuery = composedOnce((db) =>
  db
    .select({ entity: COLUMNS, key: entityKeys, stored: issuedStatements, roles: givenRolesJson() })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .leftJoin(entityKeys, and(eq(entityKeys.entityId, entities.id), isNull(entityKeys.removedAt)))
    .leftJoin(
      issuedStatements,
      and(
        eq(issuedStatements.authorityId, entities.authorityId),
        eq(issuedStatements.kind, 'subordinate-statement'),
        eq(issuedStatements.subject, entities.entityIdentifier),
      ),
    )
    .where(
      and(
        eq(entities.authorityId, sql.placeholder('authorityId')),
        eq(entities.entityIdentifier, sql.placeholder('entityIdentifier')),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
      ),
    )
    .orderBy(asc(entityKeys.position))
    .prepare('read_subordinate'),
);
