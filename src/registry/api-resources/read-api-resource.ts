/** Reads API resources, as far as the reader reaches; lists have what is retired or removed if asked for it. */
import { and, asc, eq, gt, or, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiResources, type CertificationStatus } from '../../storage/schema/api-resources.ts';
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
import type { ApiResource } from './api-resource.ts';

const OWNER = { organisationId: entities.organisationId, entityId: entities.id };
const STATES = { own: entities.state, organisation: organisations.state };

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readApiResource(db: Db | Tx, actor: Actor, id: string): Promise<ApiResource> {
  requireRole(actor, ACCESS.readApiResource.roles);
  const [api] = isRecordId(id) ? await select(db, eq(apiResources.id, id), 1) : [];
  if (api === undefined || !reaches(actor, api.authorityId, api.organisationId, api.entityId)) {
    throw notFound('API resource', id);
  }
  return api;
}

export interface ApiResourceFilter {
  authorityId?: string;
  authorizationServerId?: string;
  family?: string;
  /** As recorded, whether or not it has ended. */
  certificationStatus?: CertificationStatus;
  /** By the clock, its authorization server's too; without it what is offered still, active or deprecated. */
  state?: OfferState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listApiResources(
  db: Db,
  actor: Actor,
  filter: ApiResourceFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<ApiResource>> {
  const { authorityId, authorizationServerId, family, certificationStatus, state } = filter;
  const columns = { authority: apiResources.authorityId, organisation: entities.organisationId, entity: entities.id };
  const reached = inReach(actor, ACCESS.listApiResources.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      authorizationServerId === undefined ? undefined : eq(apiResources.authorizationServerId, authorizationServerId),
      family === undefined ? undefined : eq(apiResources.family, family),
      certificationStatus === undefined ? undefined : eq(apiResources.certificationStatus, certificationStatus),
      state === undefined ? undefined : isInState(state, now),
      isAtMost(state ?? 'deprecated', apiResources, now),
      isAtMost(state ?? 'deprecated', authorizationServers, now),
      after === undefined ? undefined : gt(apiResources.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

/** The stricter of its own dates and its server's. */
function isInState(state: OfferState, now: Date): SQL | undefined {
  if (state === 'active') return undefined;
  return or(isAtLeast(state, apiResources, now), isAtLeast(state, authorizationServers, now));
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<ApiResource[]> {
  const { deprecatedAt, retiresAt, removedAt } = authorizationServers;
  const rows = await db
    .select({ api: apiResources, serverDates: { deprecatedAt, retiresAt, removedAt }, owner: OWNER, states: STATES })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(where)
    .orderBy(asc(apiResources.id))
    .limit(limit);
  return rows.map(({ api, serverDates, owner, states }) => ({
    ...api,
    ...owner,
    serverDates,
    entityState: effectiveState(states.own, states.organisation),
  }));
}
