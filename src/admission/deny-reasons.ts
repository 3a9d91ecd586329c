/** Why somebody is not admitted: the one list, stable for gateways and their logs. */

/** Who can change the answer: the partner itself, the registry's people, or whoever runs the enforcement point. */
export type CanMend = 'partner' | 'registry' | 'enforcement_point';

interface DenyReasonEntry {
  canMend: CanMend;
  /** What to do about it. */
  hint: string;
}

export const DENY_REASONS = {
  state_stale: {
    canMend: 'enforcement_point',
    hint: 'this node has not heard from the registry for longer than allowed; look at its database connection',
  },
  enforcement_point_ended: {
    canMend: 'registry',
    hint: 'the enforcement point was suspended or removed; have it reinstated, or set the gateway up with another one',
  },
  certificate_missing: {
    canMend: 'partner',
    hint: 'connect with the client certificate that is registered for the application',
  },
  certificate_malformed: {
    canMend: 'enforcement_point',
    hint: 'the gateway must pass on the client certificate in the one form that it is set up for',
  },
  unknown_participant: {
    canMend: 'partner',
    hint: 'register this certificate for the application, or connect with the one that is registered',
  },
  certificate_not_yet_valid: { canMend: 'partner', hint: 'connect with a certificate that is valid already' },
  certificate_expired: { canMend: 'partner', hint: 'register a new certificate and connect with that' },
  certificate_superseded: { canMend: 'partner', hint: 'connect with the certificate that took its place' },
  certificate_on_hold: { canMend: 'registry', hint: 'ask the registry why the certificate is on hold' },
  certificate_revoked: { canMend: 'partner', hint: 'register a new certificate with a new key and connect with that' },
  chain_untrusted: {
    canMend: 'partner',
    hint: 'get a certificate from an authority on the trust list and register it, or let the registry add the authority',
  },
  not_approved: { canMend: 'registry', hint: 'the application or its organisation still waits for its approval' },
  suspended: { canMend: 'registry', hint: 'ask the registry why the participant is suspended' },
  withdrawn: { canMend: 'partner', hint: 'the participant has left; enrol anew' },
  revoked: { canMend: 'registry', hint: 'the participant was revoked; it would have to be enrolled anew' },
  wrong_environment: {
    canMend: 'partner',
    hint: 'use the application, and its certificate, that is enrolled for this environment',
  },
  entity_mismatch: { canMend: 'partner', hint: 'name the Entity Identifier of the application that connects' },
  delegation_unknown: {
    canMend: 'registry',
    hint: 'the registry must record on whose behalf the application acts',
  },
  delegation_ended: { canMend: 'registry', hint: 'the organisation that the application acts for is not active' },
  api_unknown: { canMend: 'enforcement_point', hint: 'name an API resource of the registry' },
  api_mismatch: {
    canMend: 'enforcement_point',
    hint: 'name the API resource of the enforcement point, or none',
  },
  role_missing: { canMend: 'registry', hint: 'the application needs one of the roles that the API asks for' },
  token_missing: { canMend: 'partner', hint: 'send an access token' },
  token_malformed: { canMend: 'partner', hint: 'send the access token as the authorization server gave it' },
  token_issuer_unknown: {
    canMend: 'registry',
    hint: 'get a token from an authorization server that this authority lists, or let it be added',
  },
  token_invalid: { canMend: 'partner', hint: 'get a new access token' },
  token_expired: { canMend: 'partner', hint: 'get a new access token' },
  token_not_yet_valid: { canMend: 'partner', hint: 'wait, or get a new access token; compare the clocks' },
  token_inactive: {
    canMend: 'partner',
    hint: 'the authorization server says that the token is not active; get a new one',
  },
  token_unverifiable: {
    canMend: 'enforcement_point',
    hint: 'the authorization server could not be asked about the token; try again, then look at its endpoint',
  },
  audience_mismatch: { canMend: 'partner', hint: 'ask for a token for this API' },
  token_not_bound: { canMend: 'partner', hint: 'get a token over mTLS, so that it is bound to the certificate' },
  cnf_mismatch: { canMend: 'partner', hint: 'use the token with the certificate that it was issued for' },
  client_mismatch: { canMend: 'partner', hint: 'use a token that was issued to the application itself' },
  trust_chain_invalid: { canMend: 'partner', hint: 'no Trust Chain leads to the Trust Anchor; explain its resolution' },
  trust_chain_unavailable: {
    canMend: 'partner',
    hint: 'the Trust Chain could not be fetched at the moment; try again',
  },
} as const satisfies Record<string, DenyReasonEntry>;

export type DenyReason = keyof typeof DENY_REASONS;

export const DENY_REASON_NAMES = Object.keys(DENY_REASONS) as DenyReason[];
