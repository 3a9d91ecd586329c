/** The composed service with a client for each role, for tests of the API. */
import type { Config } from '../../src/config/config.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { ApiClient } from './api-client.ts';
import type { DATABASE_KINDS } from './databases.ts';
import type { EntitySettings } from './federation.ts';
import { type FederationServer, serveFederation } from './federation-server.ts';
import { startTestService, type TestService } from './service.ts';

export interface ApiService extends AsyncDisposable {
  service: TestService;
  /** Without any token. */
  anonymous: ApiClient;
  /** One client for each role alone, reaching all authorities. */
  admin: ApiClient;
  registrar: ApiClient;
  approver: ApiClient;
  auditor: ApiClient;
  /** A client with other roles or a shorter reach. */
  client(roles: Role[], authorities?: Authority[] | 'all'): Promise<ApiClient>;
}

/**
 * @example
 * const api = await startApi();
 * afterAll(() => api[Symbol.asyncDispose]());
 */
export async function startApi(
  settings: Partial<Config> = {},
  kind: (typeof DATABASE_KINDS)[number] = 'embedded',
): Promise<ApiService> {
  const service = await startTestService(kind, settings);
  const client = async (roles: Role[], authorities: Authority[] | 'all' = 'all') =>
    new ApiClient(service.app, await service.bearer(roles, authorities));
  return {
    service,
    anonymous: new ApiClient(service.app),
    admin: await client(['admin']),
    registrar: await client(['registrar']),
    approver: await client(['approver']),
    auditor: await client(['auditor']),
    client,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** A Relying Party's settings, complete enough for every check. */
export function relyingParty(superior: { entityIdentifier: string }): EntitySettings {
  return {
    superiors: [superior.entityIdentifier],
    metadata: (identifier) => ({
      openid_relying_party: { redirect_uris: [`${identifier}/callback`], client_registration_types: ['automatic'] },
    }),
  };
}

/** Publishes the Relying Party `rp` that names the authority as its superior. */
export function publishRelyingParty(superior: { entityIdentifier: string }): Promise<FederationServer> {
  return serveFederation({ rp: relyingParty(superior) });
}

/** An id that no record has. */
export const NO_SUCH_ID = '019baf5e-0000-7000-8000-000000000000';
