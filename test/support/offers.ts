/** What entities offer in tests: authorization servers and APIs. */
import { addApiResource, type NewApiResource } from '../../src/registry/api-resources/add-api-resource.ts';
import type { ApiResource } from '../../src/registry/api-resources/api-resource.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { addAuthorizationServer } from '../../src/registry/authorization-servers/add-authorization-server.ts';
import type {
  AuthorizationServer,
  AuthorizationServerFields,
} from '../../src/registry/authorization-servers/authorization-server.ts';
import type { Entity } from '../../src/registry/entities/entity.ts';
import type { TestRegistry } from './registry.ts';

const TYPES = ['openid_provider', 'federation_entity'];

/** An active entity that may run an authorization server. */
export async function provider(registry: TestRegistry, authority: Authority): Promise<Entity> {
  const types = { entityTypes: ['openid_provider'], verifiedEntityTypes: TYPES };
  return await registry.entity(await registry.organisation(authority), types);
}

/** The authorization server of a new entity. */
export async function authorizationServer(
  registry: TestRegistry,
  authority: Authority,
  settings: Partial<AuthorizationServerFields> = {},
): Promise<AuthorizationServer> {
  const { id: entityId } = await provider(registry, authority);
  return await addAuthorizationServer(registry.context(), { entityId, ...settings });
}

/** A version of an API of the authorization server, or of a new one. */
export async function apiResource(
  registry: TestRegistry,
  authority: Authority,
  settings: Partial<NewApiResource> = {},
): Promise<ApiResource> {
  const authorizationServerId = settings.authorizationServerId ?? (await authorizationServer(registry, authority)).id;
  const api = { family: 'payments', apiVersion: '1.0.0', ...settings, authorizationServerId };
  return await addApiResource(registry.context(), api);
}
