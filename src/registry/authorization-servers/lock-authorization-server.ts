/** Takes hold of an authorization server's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { notFound } from '../actor.ts';
import { requireNotRemoved } from '../offers/offer-state.ts';
import type { AuthorizationServerRow } from './authorization-server.ts';

/** @throws RegistryError not_found, illegal_transition when it is removed */
export async function lockAuthorizationServer(tx: Tx, id: string): Promise<AuthorizationServerRow> {
  const [server] = await tx
    .select()
    .from(authorizationServers)
    .where(eq(authorizationServers.id, id))
    .for('no key update');
  if (server === undefined) throw notFound('authorization server', id);
  requireNotRemoved(server);
  return server;
}
