/** Records an authorization server that an entity runs; its issuer is the Entity Identifier. @see OIDFED §5.1.3, §5.1.4 */
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { entityTypes } from '../entities/entity.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { readEntity } from '../entities/read-entity.ts';
import { requireOrderedDates } from '../offers/offer-state.ts';
import { requireReadable, requireSuccessor } from '../offers/successor.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerFields,
  type AuthorizationServerRow,
  authorizationServerSnapshot,
} from './authorization-server.ts';
import { readAuthorizationServer } from './read-authorization-server.ts';

export interface NewAuthorizationServer extends Partial<AuthorizationServerFields> {
  entityId: string;
}

const ISSUING_TYPES = ['openid_provider', 'oauth_authorization_server'];

/**
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition when the entity's record is
 *   closed, authorization_server_exists, idempotency_key_reused
 */
export async function addAuthorizationServer(
  context: ChangeContext,
  input: NewAuthorizationServer,
  idempotency?: Idempotency,
): Promise<AuthorizationServer> {
  const entity = await readEntity(context.db, context.actor, input.entityId);
  const { authorityId, organisationId } = entity;
  authorise(context.actor, ACCESS.addAuthorizationServer.roles, authorityId, organisationId);
  const { deprecatedAt = null, retiresAt = null, supersededBy = null } = input;
  requireOrderedDates({ deprecatedAt, retiresAt });
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (serverId) => {
      const types = entityTypes(await lockOpenEntity(tx, entity.id));
      if (!ISSUING_TYPES.some((type) => types.includes(type))) {
        throw invalidField('/entityId', `plays neither ${ISSUING_TYPES.join(' nor ')}`);
      }
      if (supersededBy !== null) {
        await requireReadable(() => readAuthorizationServer(tx, context.actor, supersededBy));
        await requireSuccessor(tx, 'authorization_servers', { id: serverId, authorityId }, supersededBy);
      }
      const server: AuthorizationServerRow = {
        id: serverId,
        authorityId,
        entityId: entity.id,
        issuer: entity.entityIdentifier,
        deprecatedAt,
        retiresAt,
        supersededBy,
        recordedState: 'active',
        version: 1,
        createdAt: context.now,
        removedAt: null,
      };
      try {
        await tx.insert(authorizationServers).values(server);
      } catch (error) {
        if (!isUniqueViolation(error, 'authorization_servers_live')) throw error;
        const message = `the authorization server of ${entity.entityIdentifier} is on record already`;
        throw new RegistryError('authorization_server_exists', message, {}, { cause: error });
      }
      record({
        action: 'authorization_server.add',
        authorityId,
        subjectKind: 'authorization_server',
        subjectId: serverId,
        after: authorizationServerSnapshot(server),
      });
    });
  });
  return readAuthorizationServer(context.db, context.actor, id);
}
