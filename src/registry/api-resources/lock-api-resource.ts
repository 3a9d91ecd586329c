/** Takes hold of an API resource's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { notFound } from '../actor.ts';
import { requireNotRemoved } from '../offers/offer-state.ts';
import type { ApiResourceRow } from './api-resource.ts';

/** @throws RegistryError not_found, illegal_transition when it is removed, or its authorization server */
export async function lockApiResource(tx: Tx, id: string): Promise<ApiResourceRow> {
  const [found] = await tx
    .select({ api: apiResources, removedAt: authorizationServers.removedAt })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .where(eq(apiResources.id, id))
    .for('no key update', { of: apiResources });
  if (found === undefined) throw notFound('API resource', id);
  requireNotRemoved(found);
  requireNotRemoved(found.api);
  return found.api;
}
