/** Reads API resources, as far as the reader reaches; those removed are in lists that ask for them only. */
import { and, asc, eq, gt, inArray, or, type SQL } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiResources, type CertificationStatus } from '../../storage/schema/api-resources.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { isAtLeast, isAtMost, type OfferState } from '../offers/offer-state.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import type { ApiResource } from './api-resource.ts';

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readApiResource(db: Db | Tx, actor: Actor, id: string): Promise<ApiResource> {
  requireRole(actor, READERS);
  const [api] = isRecordId(id) ? await select(db, eq(apiResources.id, id), 1) : [];
  if (api === undefined || !reaches(actor, api.authorityId)) throw notFound('API resource', id);
  return api;
}

export interface ApiResourceFilter {
  authorityId?: string;
  authorizationServerId?: string;
  family?: string;
  /** As recorded, whether or not it has ended. */
  certificationStatus?: CertificationStatus;
  /** By the clock, its authorization server's too; without it all but those removed. */
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
  requireRole(actor, READERS);
  const { authorityId, authorizationServerId, family, certificationStatus, state } = filter;
  if (authorityId !== undefined) authorise(actor, READERS, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      actor.authorities === 'all' ? undefined : inArray(apiResources.authorityId, [...actor.authorities]),
      authorityId === undefined ? undefined : eq(apiResources.authorityId, authorityId),
      authorizationServerId === undefined ? undefined : eq(apiResources.authorizationServerId, authorizationServerId),
      family === undefined ? undefined : eq(apiResources.family, family),
      certificationStatus === undefined ? undefined : eq(apiResources.certificationStatus, certificationStatus),
      state === undefined ? undefined : isInState(state, now),
      isAtMost(state ?? 'retired', apiResources, now),
      isAtMost(state ?? 'retired', authorizationServers, now),
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
    .select({ api: apiResources, serverDates: { deprecatedAt, retiresAt, removedAt } })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .where(where)
    .orderBy(asc(apiResources.id))
    .limit(limit);
  return rows.map(({ api, serverDates }) => ({ ...api, serverDates }));
}
