/** Removes an authorization server; its record stays for the history, and its APIs count as removed with it. */
import { eq } from 'drizzle-orm';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { ACCESS } from '../access.ts';
import { authorise, despiteSuspension } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { authorizationServerSnapshot } from './authorization-server.ts';
import { lockAuthorizationServer } from './lock-authorization-server.ts';
import { readAuthorizationServer } from './read-authorization-server.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is removed already */
export async function removeAuthorizationServer(
  context: ChangeContext,
  serverId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId, organisationId } = await readAuthorizationServer(context.db, context.actor, serverId);
  authorise(despiteSuspension(context.actor), ACCESS.removeAuthorizationServer.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockAuthorizationServer(tx, serverId);
    requireVersion(before, expectedVersion);
    const change = { removedAt: context.now, version: before.version + 1 };
    await tx.update(authorizationServers).set(change).where(eq(authorizationServers.id, serverId));
    record({
      action: 'authorization_server.remove',
      authorityId,
      subjectKind: 'authorization_server',
      subjectId: serverId,
      before: authorizationServerSnapshot(before),
      after: authorizationServerSnapshot({ ...before, ...change }),
    });
  });
}
