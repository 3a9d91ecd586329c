/** The entity collection endpoint: the entities below an authority, for people to choose from. @see COLLECTION §2 */
import { FederationError } from '../../federation/errors.ts';
import {
  ENTITY_CLAIMS,
  isUsual,
  MAX_COLLECTED_ENTITIES,
  NO_ENTITIES,
} from '../../issuance/companion/entity-collections.ts';
import { isUiClaim } from '../../issuance/companion/ui-infos.ts';
import type { ReadyAnswer } from '../../issuance/ready-answers.ts';
import type { EndpointRequest, FederationDependencies } from './federation-door.ts';
import { limitParameter, listParameter, optionalParameter, storable } from './parameters.ts';

const MAX_QUERY_LENGTH = 200;
/** Each costs the search as much as another search. */
const MAX_TRUST_MARK_TYPES = 10;

/**
 * Several `entity_type` name entities of any of them, several `trust_mark_type` those with marks of all of them.
 * @throws FederationError parameter_invalid, parameter_repeated, trust_anchor_not_served, claim_unsupported,
 *   page_unknown
 */
export function answerCollection(
  { served, exchange, caller }: EndpointRequest,
  { collections, resolve: { quotas } }: FederationDependencies,
): ReadyAnswer | Promise<ReadyAnswer> {
  const query = exchange.parameters;
  requireOwnTrustAnchor(query, served.authority.entityIdentifier);
  const types = { entityTypes: valuesOf(query, 'entity_type'), trustMarkTypes: valuesOf(query, 'trust_mark_type') };
  if (types.trustMarkTypes.length > MAX_TRUST_MARK_TYPES) {
    const message = `at most ${MAX_TRUST_MARK_TYPES} trust_mark_type are answered`;
    throw new FederationError('parameter_invalid', message, 'trust_mark_type');
  }
  const wanted = {
    entityTypes: storable(types.entityTypes),
    trustMarkTypes: storable(types.trustMarkTypes),
    text: textParameter(query),
    from: optionalParameter(query, 'from'),
    limit: limitParameter(query, MAX_COLLECTED_ENTITIES),
    entityClaims: claimsParameter(query, 'entity_claims', (claim) => ENTITY_CLAIMS.some((known) => known === claim)),
    uiClaims: claimsParameter(query, 'ui_claims', isUiClaim),
  };
  const isEmpty =
    (types.entityTypes.length > 0 && wanted.entityTypes.length === 0) ||
    types.trustMarkTypes.length > wanted.trustMarkTypes.length ||
    wanted.text?.includes('\0');
  if (isEmpty) return NO_ENTITIES;
  if (wanted.text !== null) exchange.once('evaluation', () => quotas.charge(exchange, caller, 'evaluation'));
  else if (!isUsual(wanted) || wanted.from !== undefined) {
    // Any entity may be the first of a page.
    exchange.once('lookup', () => quotas.charge(exchange, caller, 'lookup'));
  }
  const page = collections.page(served, wanted);
  return page instanceof Promise ? page.then(known) : page;
}

/** The values of a parameter, each once and in one order: equal questions share an answer. */
function valuesOf(query: URLSearchParams, name: string): string[] {
  return [...new Set(query.getAll(name))].sort();
}

/** Each authority answers for what is below itself. */
function requireOwnTrustAnchor(query: URLSearchParams, ownIdentifier: string): void {
  const trustAnchor = optionalParameter(query, 'trust_anchor');
  if (trustAnchor === undefined || trustAnchor === ownIdentifier) return;
  const message = 'this endpoint collects the entities below its own authority; ask that of the Trust Anchor';
  throw new FederationError('trust_anchor_not_served', message, 'trust_anchor');
}

function textParameter(query: URLSearchParams): string | null {
  const text = optionalParameter(query, 'query')?.trim() ?? '';
  if (text.length <= MAX_QUERY_LENGTH) return text === '' ? null : text;
  throw new FederationError('parameter_invalid', `the parameter query is longer than ${MAX_QUERY_LENGTH}`, 'query');
}

function claimsParameter(query: URLSearchParams, name: string, isKnown: (claim: string) => boolean): string[] | null {
  if (!query.has(name)) return null;
  const claims = [...new Set(listParameter(query, name))].sort();
  const unknown = claims.find((claim) => !isKnown(claim));
  if (unknown === undefined) return claims;
  throw new FederationError('claim_unsupported', `the parameter ${name} names a claim that is not offered`, name);
}

function known(page: ReadyAnswer | undefined): ReadyAnswer {
  if (page !== undefined) return page;
  throw new FederationError('page_unknown', 'from is no next of this collection; begin without it', 'from');
}
