/** The claims of an authority's own Entity Configuration, times aside. @see OIDFED §3.1, §5.1.1, §8.8.1, §9 */
import type { JsonObject, JsonValue } from '../federation/json.ts';
import { ALGORITHM_NAMES } from '../federation/signature.ts';
import type { NumericDate } from '../federation/time.ts';
import { isPublishedKey } from '../registry/authorities/authority.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import {
  authenticationOf,
  CONFIGURABLE_ENDPOINTS,
  type ConfigurableEndpoint,
} from '../registry/authorities/endpoint-authentication.ts';
import { isShown } from '../registry/trust-marks/held-trust-mark.ts';
import type { EndpointAuthentication } from '../storage/schema/authorities.ts';
import { endpointUrl } from './authority-endpoints.ts';

/** @param now Trust Marks that have expired by then are left out */
export function buildEntityConfiguration(served: ServedAuthority, now: NumericDate): JsonObject {
  const { authority, keys } = served;
  const { entityIdentifier, authorityHints } = authority;
  const claims: JsonObject = {
    iss: entityIdentifier,
    sub: entityIdentifier,
    jwks: { keys: keys.filter(isPublishedKey).map((key) => key.publicJwk) },
    metadata: {
      federation_entity: {
        ...authority.metadata,
        organization_name: authority.name,
        ...endpointParameters(served),
      },
    },
  };
  const lists = {
    authority_hints: authorityHints,
    trust_marks: shownTrustMarks(served, now),
    trust_mark_issuers: authority.trustMarkIssuers,
    trust_mark_owners: authority.trustMarkOwners,
  };
  for (const [claim, value] of Object.entries(lists)) {
    if (Object.keys(value).length > 0) claims[claim] = value as JsonValue;
  }
  return claims;
}

/** Each endpoint, and how its callers may or must prove who they are; nothing is said where they need not. */
function endpointParameters({ authority, trustMarkTypes }: ServedAuthority): JsonObject {
  const parameters: JsonObject = {};
  let isAuthenticationOffered = false;
  for (const endpoint of CONFIGURABLE_ENDPOINTS) {
    if (trustMarkTypes.length === 0 && ISSUER_ENDPOINTS.has(endpoint)) continue;
    const name = ENDPOINT_PARAMETERS[endpoint];
    const methods = AUTHENTICATION_METHODS[authenticationOf(authority, endpoint)];
    parameters[name] = endpointUrl(authority.entityIdentifier, endpoint);
    if (methods === undefined) continue;
    parameters[`${name}_auth_methods`] = [...methods];
    isAuthenticationOffered = true;
  }
  if (isAuthenticationOffered) parameters['endpoint_auth_signing_alg_values_supported'] = ALGORITHM_NAMES;
  return parameters;
}

const ENDPOINT_PARAMETERS: Readonly<Record<ConfigurableEndpoint, string>> = {
  fetch: 'federation_fetch_endpoint',
  list: 'federation_list_endpoint',
  resolve: 'federation_resolve_endpoint',
  trustMarkStatus: 'federation_trust_mark_status_endpoint',
  trustMarkList: 'federation_trust_mark_list_endpoint',
  trustMark: 'federation_trust_mark_endpoint',
  historicalKeys: 'federation_historical_keys_endpoint',
  extendedList: 'federation_extended_list_endpoint',
  subordinateEvents: 'federation_subordinate_events_endpoint',
  collection: 'federation_collection_endpoint',
};

/** Whoever has defined a type is an issuer, and stays one: marks of a retired type are still asked about. */
const ISSUER_ENDPOINTS: ReadonlySet<ConfigurableEndpoint> = new Set(['trustMarkStatus', 'trustMarkList', 'trustMark']);

const AUTHENTICATION_METHODS: Readonly<Record<EndpointAuthentication, readonly string[] | undefined>> = {
  off: undefined,
  optional: ['none', 'private_key_jwt'],
  required: ['private_key_jwt'],
};

function shownTrustMarks({ heldTrustMarks }: ServedAuthority, now: NumericDate): JsonObject[] {
  return heldTrustMarks
    .filter((mark) => isShown(mark, new Date(now * 1000)))
    .map(({ trustMarkType, jwt }) => ({ trust_mark_type: trustMarkType, trust_mark: jwt }));
}

/** When the first of the marks that it shows expires, seconds since the epoch; then it is signed anew without it. */
export function firstTrustMarkExpiry({ heldTrustMarks }: ServedAuthority, now: NumericDate): NumericDate {
  const shown = heldTrustMarks.filter((mark) => isShown(mark, new Date(now * 1000)));
  return Math.min(...shown.map(({ expiresAt }) => (expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) / 1000));
}

/** Grows with every change of what stands beside the authority's own record in its configuration. */
export function trustMarksVersion({ trustMarkTypes, heldTrustMarks }: ServedAuthority): number {
  return [...trustMarkTypes, ...heldTrustMarks].reduce((sum, { version }) => sum + version, 0);
}
