/** Whether there is an API that an enforcement point may stand before. */
import { and, eq, isNull } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';

/** Of this authority, and removed neither itself nor with its authorization server. */
export async function isOfferedApi(tx: Tx, authorityId: string, apiId: string): Promise<boolean> {
  const found = await tx
    .select({ id: apiResources.id })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .where(
      and(
        eq(apiResources.id, apiId),
        eq(apiResources.authorityId, authorityId),
        isNull(apiResources.removedAt),
        isNull(authorizationServers.removedAt),
      ),
    );
  return found.length > 0;
}
