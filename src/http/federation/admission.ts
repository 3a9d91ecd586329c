/** Who may ask an endpoint, and how: from a request and the endpoint's rule to the caller. @see OIDFED §8.8, §8.8.1 */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import { type ServedEndpoint, SUBORDINATE_ENDPOINT_PATHS } from '../../issuance/authority-endpoints.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { authenticationOf } from '../../registry/authorities/endpoint-authentication.ts';
import { readStanding } from '../../registry/entities/read-standing.ts';
import type { EndpointAuthentication } from '../../storage/schema/authorities.ts';
import { ANONYMOUS, type Caller } from './callers.ts';
import type { Exchange } from './exchange.ts';
import { MethodNotServed } from './method-not-served.ts';
import type { ResolveDependencies } from './resolve.ts';
import { servedTrustAnchors } from './served-trust-anchors.ts';

/** Without authentication parameters go in a query, with it in a body (§8). */
const METHODS: Readonly<Record<EndpointAuthentication, readonly string[]>> = {
  off: ['GET', 'HEAD', 'OPTIONS'],
  optional: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  required: ['POST', 'OPTIONS'],
};

const POST_METHODS: readonly string[] = ['POST', 'OPTIONS'];

export interface AdmissionDependencies {
  directory: AuthorityDirectory;
  resolve: ResolveDependencies;
}

/** The methods that an endpoint of an authority serves. */
export function methodsOf({ authority }: ServedAuthority, endpoint: ServedEndpoint): readonly string[] {
  return isPostAlways(endpoint) ? POST_METHODS : METHODS[authenticationOf(authority, endpoint)];
}

/**
 * The caller of an endpoint, by what the endpoint asks for. After it the exchange has its parameters, but for a POST to
 * an endpoint that asks for no authentication: the form of that is read by whoever answers it.
 * @throws MethodNotServed
 * @throws FederationError client_assertion_required, client_unknown, client_assertion_missing,
 *   client_assertion_invalid, client_assertion_replayed, request_body_invalid, request_too_large
 * @throws TryAgainLater rate_limited
 */
export function admit(
  served: ServedAuthority,
  endpoint: ServedEndpoint,
  exchange: Exchange,
  dependencies: AdmissionDependencies,
): Caller | Promise<Caller> {
  const authentication = authenticationOf(served.authority, endpoint);
  const { method } = exchange.request;
  if ((method === 'GET' || method === 'HEAD') && !isPostAlways(endpoint)) {
    if (authentication !== 'required') return ANONYMOUS;
    throw unproven('it is asked by POST');
  }
  const methods = methodsOf(served, endpoint);
  if (!methods.includes(method)) throw new MethodNotServed(methods);
  if (authentication === 'off') return ANONYMOUS;
  return authenticated(served, endpoint, exchange, dependencies);
}

/** The mark goes in a body always (§8.4.1), and so does what subordinates have to say. */
function isPostAlways(endpoint: ServedEndpoint): boolean {
  return endpoint === 'trustMarkStatus' || endpoint in SUBORDINATE_ENDPOINT_PATHS;
}

/** Whoever is not known, nor its keys, is nobody in particular; where a proof is required, that is not enough. */
async function authenticated(
  served: ServedAuthority,
  endpoint: ServedEndpoint,
  exchange: Exchange,
  dependencies: AdmissionDependencies,
): Promise<Caller> {
  const form = await exchange.form();
  const isRequired = authenticationOf(served.authority, endpoint) === 'required';
  if ((form.get('client_assertion') ?? '') === '') {
    if (isRequired) throw unproven('its form has a client_assertion');
    if (isPostAlways(endpoint)) return ANONYMOUS;
  }
  const { callers, quotas } = dependencies.resolve;
  const charge = (known: Caller) => exchange.once('lookup', () => quotas.charge(exchange, known, 'lookup'));
  const giveBack = (known: Caller) => quotas.giveBack(exchange, known, 'lookup');
  const caller = await exchange.once('caller', () =>
    quotas.identify(exchange, () => callers.byAssertion(served, form, { charge, giveBack })),
  );
  if (isRequired && caller.kind === 'anonymous') {
    // What a chain would show is of no use where only our own subordinates are heard.
    const claimed = endpoint === 'subordinateRefresh' ? undefined : caller.claimed;
    throw await stranger(served, claimed, exchange, dependencies);
  }
  return caller;
}

function unproven(how: string): FederationError {
  const message = `callers of this endpoint prove who they are: ${how}`;
  return new FederationError('client_assertion_required', message, 'client_assertion');
}

/**
 * Its keys are known only from a Trust Chain. One is looked for in the background, where and as far as that is done for
 * anybody who asks to have a subject resolved.
 */
async function stranger(
  served: ServedAuthority,
  claimed: EntityIdentifier | undefined,
  exchange: Exchange,
  dependencies: AdmissionDependencies,
): Promise<FederationError> {
  const isLookedFor = claimed !== undefined && (await isEvaluating(served, claimed, exchange, dependencies));
  const then = isLookedFor ? '; a Trust Chain is looked for, try again shortly' : '';
  return new FederationError('client_unknown', `the caller is not known here, nor its keys${then}`, '/iss');
}

async function isEvaluating(
  served: ServedAuthority,
  subject: EntityIdentifier,
  exchange: Exchange,
  { directory, resolve: { anonymous, background, db, quotas } }: AdmissionDependencies,
): Promise<boolean> {
  if (anonymous === 'refuse') return false;
  const request = { scope: served.authority.id, subject, trustAnchors: servedTrustAnchors(served, directory) };
  if (background.isUnderWay(request)) return true;
  if (background.knownRefusal(request) !== undefined) return false;
  const own = directory.all.map(({ authority }) => authority);
  if ((await readStanding(db, subject, [served.authority], own)) === 'ended') return false;
  exchange.once('evaluation', () => quotas.charge(exchange, ANONYMOUS, 'evaluation'));
  return background.enqueue(request);
}
