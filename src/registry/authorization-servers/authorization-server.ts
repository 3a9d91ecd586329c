/** Authorization servers as records. */
import type { JsonObject } from '../../federation/json.ts';
import type { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';

export type AuthorizationServerRow = typeof authorizationServers.$inferSelect;

export interface AuthorizationServer extends AuthorizationServerRow {
  /** Whose entity runs it. */
  organisationId: string;
  /** The state that counts of the entity that runs it. */
  entityState: ParticipantState;
}

export interface AuthorizationServerFields {
  deprecatedAt: Date | null;
  retiresAt: Date | null;
  supersededBy: string | null;
}

export function authorizationServerSnapshot(server: AuthorizationServerRow): JsonObject {
  return {
    entityId: server.entityId,
    issuer: server.issuer,
    deprecatedAt: server.deprecatedAt?.toISOString() ?? null,
    retiresAt: server.retiresAt?.toISOString() ?? null,
    supersededBy: server.supersededBy,
    removedAt: server.removedAt?.toISOString() ?? null,
  };
}
