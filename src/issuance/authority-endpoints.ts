/** Where each authority serves its federation endpoints, relative to its own Entity Identifier. */

export const ENDPOINT_PATHS = {
  configuration: '/.well-known/openid-federation',
  fetch: '/federation/fetch',
  list: '/federation/list',
  resolve: '/federation/resolve',
  historicalKeys: '/federation/historical-keys',
} as const;

export type FederationEndpoint = keyof typeof ENDPOINT_PATHS;

export const FEDERATION_ENDPOINT_NAMES = Object.keys(ENDPOINT_PATHS) as FederationEndpoint[];

export function endpointUrl(entityIdentifier: string, endpoint: FederationEndpoint): string {
  const base = entityIdentifier.endsWith('/') ? entityIdentifier.slice(0, -1) : entityIdentifier;
  return `${base}${ENDPOINT_PATHS[endpoint]}`;
}
