/** Reads authorization servers, as far as the reader reaches; lists have what is retired or removed if asked for it. */
import { and, asc, eq, gt, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { isAtLeast, isAtMost, type OfferState } from '../offers/offer-state.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { effectiveState } from '../states.ts';
import type { AuthorizationServer } from './authorization-server.ts';

const ENTITY = { organisationId: entities.organisationId, state: entities.state };

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readAuthorizationServer(db: Db | Tx, actor: Actor, id: string): Promise<AuthorizationServer> {
  requireRole(actor, ACCESS.readAuthorizationServer.roles);
  const [server] = isRecordId(id) ? await select(db, eq(authorizationServers.id, id), 1) : [];
  if (server === undefined || !reaches(actor, server.authorityId, server.organisationId, server.entityId)) {
    throw notFound('authorization server', id);
  }
  return server;
}

export interface AuthorizationServerFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  issuer?: string;
  /** By the clock; without it what is offered still, active or deprecated. */
  state?: OfferState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listAuthorizationServers(
  db: Db,
  actor: Actor,
  filter: AuthorizationServerFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<AuthorizationServer>> {
  const { authorityId, organisationId, entityId, issuer, state } = filter;
  const columns = {
    authority: authorizationServers.authorityId,
    organisation: entities.organisationId,
    entity: entities.id,
  };
  const reached = inReach(actor, ACCESS.listAuthorizationServers.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      organisationId === undefined ? undefined : eq(entities.organisationId, organisationId),
      entityId === undefined ? undefined : eq(authorizationServers.entityId, entityId),
      issuer === undefined ? undefined : eq(authorizationServers.issuer, issuer),
      state === undefined ? undefined : isAtLeast(state, authorizationServers, now),
      isAtMost(state ?? 'deprecated', authorizationServers, now),
      after === undefined ? undefined : gt(authorizationServers.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<AuthorizationServer[]> {
  const rows = await db
    .select({ server: authorizationServers, entity: ENTITY, organisation: organisations.state })
    .from(authorizationServers)
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(where)
    .orderBy(asc(authorizationServers.id))
    .limit(limit);
  return rows.map(({ server, entity, organisation }) => ({
    ...server,
    organisationId: entity.organisationId,
    entityState: effectiveState(entity.state, organisation),
  }));
}
