/** Of which organisations a change alters what is public. */
import { and, asc, eq, gt, inArray, lte, type SQL } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { audit } from '../../storage/schema/audit.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { registryCounter } from '../../storage/schema/registry-counter.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';

/** Kinds of subjects in which something public of organisations stands. */
const PUBLIC_KINDS = [
  'organisation',
  'entity',
  'authorization_server',
  'api_resource',
  'role_assignment',
  'role',
  'authorisation_domain',
  'authority',
] as const;

/** The last change of the registry, as this transaction sees it. */
export async function readSeq(db: Db | Tx): Promise<number> {
  const [counter] = await db
    .select({ seq: registryCounter.seq })
    .from(registryCounter)
    .where(eq(registryCounter.id, 1));
  if (counter === undefined) throw new Error('the registry has lost its counter');
  return counter.seq;
}

/** The id of each organisation that changes after one and up to another touched, with that of its authority. */
export async function touchedOrganisations(
  db: Db | Tx,
  { after, through }: { after: number; through: number },
): Promise<ReadonlyMap<string, string>> {
  if (after >= through) return new Map();
  const subjects = await db
    .selectDistinct({ kind: audit.subjectKind, id: audit.subjectId })
    .from(audit)
    .where(and(gt(audit.seq, after), lte(audit.seq, through), inArray(audit.subjectKind, [...PUBLIC_KINDS])));
  const idsOf = (kind: (typeof PUBLIC_KINDS)[number]) =>
    subjects.filter((subject) => subject.kind === kind).map(({ id }) => id);
  const touched = new Map<string, string>();
  const note = async (isTouched: SQL, ids: readonly string[]) => {
    if (ids.length === 0) return;
    const { id, authorityId } = organisations;
    for (const row of await db.select({ id, authorityId }).from(organisations).where(isTouched)) {
      touched.set(row.id, row.authorityId);
    }
  };
  const byIds = async (ids: readonly string[]) => note(isAnyOf(organisations.id, ids), ids);
  await byIds(idsOf('organisation'));
  await byIds(await organisationsOfEntities(db, idsOf('entity'), idsOf('authorization_server'), idsOf('api_resource')));
  await byIds(await organisationsOfRoles(db, idsOf('role_assignment'), idsOf('role'), idsOf('authorisation_domain')));
  await note(isAnyOf(organisations.authorityId, idsOf('authority')), idsOf('authority'));
  return touched;
}

async function organisationsOfEntities(
  db: Db | Tx,
  entityIds: readonly string[],
  serverIds: readonly string[],
  apiIds: readonly string[],
): Promise<string[]> {
  const servers =
    apiIds.length === 0
      ? []
      : await db
          .selectDistinct({ id: apiResources.authorizationServerId })
          .from(apiResources)
          .where(isAnyOf(apiResources.id, apiIds));
  const ofServers = [...serverIds, ...servers.map(({ id }) => id)];
  const running =
    ofServers.length === 0
      ? []
      : await db
          .selectDistinct({ id: authorizationServers.entityId })
          .from(authorizationServers)
          .where(isAnyOf(authorizationServers.id, ofServers));
  const all = [...entityIds, ...running.map(({ id }) => id)];
  if (all.length === 0) return [];
  const rows = await db.selectDistinct({ id: entities.organisationId }).from(entities).where(isAnyOf(entities.id, all));
  return rows.map(({ id }) => id);
}

async function organisationsOfRoles(
  db: Db | Tx,
  assignmentIds: readonly string[],
  roleIds: readonly string[],
  domainIds: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  const note = async (isHeld: SQL, ids: readonly string[]) => {
    if (ids.length === 0) return;
    const rows = await db
      .selectDistinct({ id: roleAssignments.organisationId })
      .from(roleAssignments)
      .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
      .where(isHeld);
    found.push(...rows.map(({ id }) => id));
  };
  await note(isAnyOf(roleAssignments.id, assignmentIds), assignmentIds);
  await note(isAnyOf(roleAssignments.roleId, roleIds), roleIds);
  await note(isAnyOf(roles.domainId, domainIds), domainIds);
  return [...new Set(found)];
}

/** Read at a time where all are read. */
const PIECE = 10_000;

/** The id of each active organisation with that of its authority, read piece by piece. */
export async function activeOrganisations(db: Db | Tx): Promise<ReadonlyMap<string, string>> {
  const active = new Map<string, string>();
  for (let after: string | undefined; ; ) {
    const { id, authorityId, state } = organisations;
    const rows = await db
      .select({ id, authorityId })
      .from(organisations)
      .where(and(eq(state, 'active'), after === undefined ? undefined : gt(id, after)))
      .orderBy(asc(id))
      .limit(PIECE);
    for (const row of rows) active.set(row.id, row.authorityId);
    after = rows.at(-1)?.id;
    if (rows.length < PIECE) return active;
  }
}
