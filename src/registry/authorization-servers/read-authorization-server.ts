/** Reads authorization servers, as far as the reader reaches; those removed are in lists that ask for them only. */
import { and, asc, eq, gt, inArray, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { isAtLeast, isAtMost, type OfferState } from '../offers/offer-state.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { effectiveState } from '../states.ts';
import type { AuthorizationServer } from './authorization-server.ts';

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readAuthorizationServer(db: Db | Tx, actor: Actor, id: string): Promise<AuthorizationServer> {
  requireRole(actor, READERS);
  const [server] = isRecordId(id) ? await select(db, eq(authorizationServers.id, id), 1) : [];
  if (server === undefined || !reaches(actor, server.authorityId)) throw notFound('authorization server', id);
  return server;
}

export interface AuthorizationServerFilter {
  authorityId?: string;
  organisationId?: string;
  entityId?: string;
  issuer?: string;
  /** By the clock; without it all but those removed. */
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
  requireRole(actor, READERS);
  const { authorityId, organisationId, entityId, issuer, state } = filter;
  if (authorityId !== undefined) authorise(actor, READERS, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      actor.authorities === 'all' ? undefined : inArray(authorizationServers.authorityId, [...actor.authorities]),
      authorityId === undefined ? undefined : eq(authorizationServers.authorityId, authorityId),
      organisationId === undefined ? undefined : eq(entities.organisationId, organisationId),
      entityId === undefined ? undefined : eq(authorizationServers.entityId, entityId),
      issuer === undefined ? undefined : eq(authorizationServers.issuer, issuer),
      state === undefined ? undefined : isAtLeast(state, authorizationServers, now),
      isAtMost(state ?? 'retired', authorizationServers, now),
      after === undefined ? undefined : gt(authorizationServers.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<AuthorizationServer[]> {
  const rows = await db
    .select({ server: authorizationServers, own: entities.state, organisation: organisations.state })
    .from(authorizationServers)
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(where)
    .orderBy(asc(authorizationServers.id))
    .limit(limit);
  return rows.map(({ server, own, organisation }) => ({ ...server, entityState: effectiveState(own, organisation) }));
}
