/** Finds the authorization server or API resource that a person means. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import {
  type ApiResourceRecord,
  type AuthorizationServerRecord,
  apiResourceSchema,
  authorizationServerSchema,
} from './offer-records.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };

/** @param given id, or its issuer @throws CommandError refused, usage */
export async function findAuthorizationServer(client: ApiClient, given: string): Promise<AuthorizationServerRecord> {
  const path = 'authorization-servers';
  if (isRecordId(given))
    return await client.send({ method: 'GET', path: `${path}/${given}` }, authorizationServerSchema);
  const { items } = await client.list(path, { issuer: given }, authorizationServerSchema, EVERYTHING);
  return only(items, 'authorization-server', given);
}

/** @param given id, or family and version such as `payments@2.1.0` @throws CommandError refused, usage */
export async function findApiResource(client: ApiClient, given: string): Promise<ApiResourceRecord> {
  const path = 'api-resources';
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `${path}/${given}` }, apiResourceSchema);
  const [, family, version] = /^([^@]+)@(.+)$/.exec(given) ?? [];
  const { items } =
    family === undefined ? { items: [] } : await client.list(path, { family }, apiResourceSchema, EVERYTHING);
  const meant = items.filter(({ apiVersion }) => apiVersion === version);
  const named = meant.map((api) => ({ ...api, name: `${given} of ${api.authorizationServerId}` }));
  return only(named, 'api-resource', given);
}
