/** Which endpoints of an authority ask their callers to prove who they are: each endpoint's rule, in one place. @see OIDFED §8.8 */
import type { EndpointAuthentication, EndpointAuthenticationSetting } from '../../storage/schema/authorities.ts';
import { invalidField } from '../registry-error.ts';
import type { Authority } from './authority.ts';

/** From the most open to the strictest. */
export const ENDPOINT_AUTHENTICATIONS = ['off', 'optional', 'required'] as const satisfies EndpointAuthentication[];

/** Endpoints for which operators decide, and what holds until they do; some follow others, see {@link FOLLOWED}. */
export const DEFAULT_AUTHENTICATION = {
  fetch: 'off',
  list: 'off',
  resolve: 'optional',
  trustMarkStatus: 'off',
  trustMarkList: 'off',
  trustMark: 'off',
  historicalKeys: 'off',
  extendedList: 'off',
  subordinateEvents: 'off',
  collection: 'off',
} as const satisfies Record<string, EndpointAuthentication>;

export type ConfigurableEndpoint = keyof typeof DEFAULT_AUTHENTICATION;

export const CONFIGURABLE_ENDPOINTS = Object.keys(DEFAULT_AUTHENTICATION) as ConfigurableEndpoint[];

/** Those where there is nothing to decide: what a request is about needs a proof of its own, or is for everybody. */
const FIXED_AUTHENTICATION = {
  configuration: 'off',
  // The key set proves who sent it.
  subordinateKeys: 'off',
  subordinateRefresh: 'required',
  trustMarkRequest: 'required',
  // Signed, the request proves who sent it; else it is for everybody.
  enrolmentRequest: 'off',
} as const satisfies Record<string, EndpointAuthentication>;

type FixedEndpoint = keyof typeof FIXED_AUTHENTICATION;

/**
 * What the companion endpoints tell others tell as well. Until operators decide about one, it is as strict as the
 * strictest of those: what is for some alone there is not for everybody here.
 */
const FOLLOWED: Partial<Record<ConfigurableEndpoint, readonly ConfigurableEndpoint[]>> = {
  extendedList: ['list', 'fetch'],
  subordinateEvents: ['fetch'],
  collection: ['list'],
};

/** What an endpoint of an authority asks for. */
export function authenticationOf(
  { endpointAuthentication }: Pick<Authority, 'endpointAuthentication'>,
  endpoint: ConfigurableEndpoint | FixedEndpoint,
): EndpointAuthentication {
  if (endpoint in FIXED_AUTHENTICATION) return FIXED_AUTHENTICATION[endpoint as FixedEndpoint];
  const decided = (one: ConfigurableEndpoint) => endpointAuthentication[one] ?? DEFAULT_AUTHENTICATION[one];
  const followed = FOLLOWED[endpoint as ConfigurableEndpoint] ?? [];
  if (endpointAuthentication[endpoint] !== undefined || followed.length === 0) {
    return decided(endpoint as ConfigurableEndpoint);
  }
  return followed.map(decided).reduce((one, other) => (strictness(one) < strictness(other) ? other : one));
}

function strictness(authentication: EndpointAuthentication): number {
  return ENDPOINT_AUTHENTICATIONS.indexOf(authentication);
}

/** What all endpoints for which operators decide ask for. */
export function allAuthentication(
  authority: Pick<Authority, 'endpointAuthentication'>,
): Record<ConfigurableEndpoint, EndpointAuthentication> {
  return {
    ...DEFAULT_AUTHENTICATION,
    ...Object.fromEntries(CONFIGURABLE_ENDPOINTS.map((endpoint) => [endpoint, authenticationOf(authority, endpoint)])),
  };
}

/** @throws RegistryError validation_failed */
export function inputEndpointAuthentication(setting: EndpointAuthenticationSetting): void {
  for (const [endpoint, value] of Object.entries(setting)) {
    const field = `/endpointAuthentication/${endpoint}`;
    if (!Object.hasOwn(DEFAULT_AUTHENTICATION, endpoint)) {
      throw invalidField(field, `is none of the endpoints ${CONFIGURABLE_ENDPOINTS.join(', ')}`);
    }
    if (!ENDPOINT_AUTHENTICATIONS.some((known) => known === value)) {
      throw invalidField(field, `is one of ${ENDPOINT_AUTHENTICATIONS.join(', ')}`);
    }
  }
}
