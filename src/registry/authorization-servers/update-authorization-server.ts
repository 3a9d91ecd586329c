/** Changes how long an authorization server is offered, and what takes its place. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { requireOrderedDates } from '../offers/offer-state.ts';
import { requireReadable, requireSuccessor } from '../offers/successor.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerFields,
  authorizationServerSnapshot,
} from './authorization-server.ts';
import { lockAuthorizationServer } from './lock-authorization-server.ts';
import { readAuthorizationServer } from './read-authorization-server.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, illegal_transition
 */
export async function updateAuthorizationServer(
  context: ChangeContext,
  serverId: string,
  changes: Partial<AuthorizationServerFields>,
  expectedVersion?: number,
): Promise<AuthorizationServer> {
  const { authorityId, organisationId } = await readAuthorizationServer(context.db, context.actor, serverId);
  authorise(context.actor, ACCESS.updateAuthorizationServer.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockAuthorizationServer(tx, serverId);
    requireVersion(before, expectedVersion);
    const after = { ...withChanges(before, changes), version: before.version + 1 };
    requireOrderedDates(after);
    if (jsonEquals(authorizationServerSnapshot(before), authorizationServerSnapshot(after))) return;
    const { supersededBy } = after;
    if (supersededBy !== null && supersededBy !== before.supersededBy) {
      await requireReadable(() => readAuthorizationServer(tx, context.actor, supersededBy));
      await requireSuccessor(tx, 'authorization_servers', before, supersededBy);
    }
    await tx.update(authorizationServers).set(after).where(eq(authorizationServers.id, serverId));
    record({
      action: 'authorization_server.update',
      authorityId,
      subjectKind: 'authorization_server',
      subjectId: serverId,
      before: authorizationServerSnapshot(before),
      after: authorizationServerSnapshot(after),
    });
  });
  return readAuthorizationServer(context.db, context.actor, serverId);
}
