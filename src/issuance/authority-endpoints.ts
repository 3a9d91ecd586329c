/** Where each authority serves its federation endpoints, relative to its own Entity Identifier. */

export const ENDPOINT_PATHS = {
  configuration: '/.well-known/openid-federation',
  fetch: '/federation/fetch',
  list: '/federation/list',
  resolve: '/federation/resolve',
  trustMarkStatus: '/federation/trust-mark-status',
  trustMarkList: '/federation/trust-marks',
  trustMark: '/federation/trust-mark',
  historicalKeys: '/federation/historical-keys',
  extendedList: '/federation/extended-list',
  subordinateEvents: '/federation/subordinate-events',
  collection: '/federation/collection',
} as const;

/** Endpoints of Holdfast's own, for its subordinates; no metadata names them. */
export const SUBORDINATE_ENDPOINT_PATHS = {
  subordinateKeys: '/federation/subordinate-keys',
  subordinateRefresh: '/federation/subordinate-refresh',
  trustMarkRequest: '/federation/trust-mark-request',
  enrolmentRequest: '/federation/enrolment-request',
} as const;

export type SubordinateEndpoint = keyof typeof SUBORDINATE_ENDPOINT_PATHS;

/** Everything that is served below the identifier of an authority. */
export const SERVED_PATHS = { ...ENDPOINT_PATHS, ...SUBORDINATE_ENDPOINT_PATHS } as const;

export type ServedEndpoint = keyof typeof SERVED_PATHS;

export const SERVED_ENDPOINT_NAMES = Object.keys(SERVED_PATHS) as ServedEndpoint[];

export type FederationEndpoint = keyof typeof ENDPOINT_PATHS;

export const FEDERATION_ENDPOINT_NAMES = Object.keys(ENDPOINT_PATHS) as FederationEndpoint[];

export function endpointUrl(entityIdentifier: string, endpoint: ServedEndpoint): string {
  const base = entityIdentifier.endsWith('/') ? entityIdentifier.slice(0, -1) : entityIdentifier;
  return `${base}${SERVED_PATHS[endpoint]}`;
}
