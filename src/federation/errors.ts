/** The one table of refusals: wire codes of OIDFED §8.9 and our stable reasons, each with its section. */

/**
 * Error codes of the federation endpoints with their HTTP status (§8.9), and those of the companion drafts:
 * `unsupported_claim` and `page_not_found`.
 */
export const WIRE = {
  invalid_request: 400,
  unsupported_parameter: 400,
  unsupported_claim: 400,
  invalid_trust_chain: 400,
  invalid_metadata: 400,
  invalid_client: 401,
  invalid_issuer: 404,
  invalid_subject: 404,
  invalid_trust_anchor: 404,
  not_found: 404,
  page_not_found: 404,
  server_error: 500,
  temporarily_unavailable: 503,
} as const;

export type WireCode = keyof typeof WIRE;

/** Why something was refused. Reasons are stable: tests assert them and explanations show them. */
export const REASONS = {
  // Identifiers and encodings
  entity_identifier_invalid: { wire: 'invalid_request', section: '1.2' },
  json_malformed: { wire: 'invalid_trust_chain', section: '3' },
  json_duplicate_member: { wire: 'invalid_trust_chain', section: '6.1' },
  json_too_deep: { wire: 'invalid_trust_chain', section: '3' },
  json_member_forbidden: { wire: 'invalid_trust_chain', section: '3' },
  jwt_malformed: { wire: 'invalid_trust_chain', section: '1.1' },
  jwt_too_large: { wire: 'invalid_trust_chain', section: '18.1' },

  // JOSE header and signature
  typ_invalid: { wire: 'invalid_trust_chain', section: '3' },
  alg_not_allowed: { wire: 'invalid_trust_chain', section: '3.2' },
  kid_missing: { wire: 'invalid_trust_chain', section: '3.2' },
  header_parameter_forbidden: { wire: 'invalid_trust_chain', section: '3.2' },
  key_not_found: { wire: 'invalid_trust_chain', section: '3.2' },
  key_unsuitable: { wire: 'invalid_trust_chain', section: '3.2' },
  signature_invalid: { wire: 'invalid_trust_chain', section: '3.2' },
  jwks_invalid: { wire: 'invalid_trust_chain', section: '3.1.1' },
  jwk_private: { wire: 'invalid_trust_chain', section: '3.1.1' },

  // Entity Statement claims
  claim_missing: { wire: 'invalid_trust_chain', section: '3.1.1' },
  claim_invalid: { wire: 'invalid_trust_chain', section: '3.1.1' },
  claim_forbidden: { wire: 'invalid_trust_chain', section: '3.2' },
  subject_mismatch: { wire: 'invalid_trust_chain', section: '3.2' },
  issuer_mismatch: { wire: 'invalid_trust_chain', section: '3.2' },
  not_entity_configuration: { wire: 'invalid_trust_chain', section: '3.2' },
  not_subordinate_statement: { wire: 'invalid_trust_chain', section: '3.2' },
  issuer_not_in_authority_hints: { wire: 'invalid_trust_chain', section: '3.2' },
  statement_expired: { wire: 'invalid_trust_chain', section: '3.2' },
  statement_not_yet_valid: { wire: 'invalid_trust_chain', section: '3.2' },
  crit_invalid: { wire: 'invalid_trust_chain', section: '13.4' },
  crit_not_understood: { wire: 'invalid_trust_chain', section: '13.4' },
  authority_hints_invalid: { wire: 'invalid_trust_chain', section: '3.1.2' },
  trust_mark_type_mismatch: { wire: 'invalid_trust_chain', section: '3.2' },

  // Trust Marks, their delegations and status answers
  trust_mark_not_yet_valid: { wire: 'invalid_trust_chain', section: '7.3' },
  trust_mark_expired: { wire: 'invalid_trust_chain', section: '7.3' },
  trust_mark_type_unrecognised: { wire: 'invalid_trust_chain', section: '17.5' },
  trust_mark_issuer_not_trusted: { wire: 'invalid_trust_chain', section: '17.5' },
  trust_mark_issuer_unresolved: { wire: 'invalid_trust_chain', section: '7.3' },
  trust_mark_delegation_missing: { wire: 'invalid_trust_chain', section: '7.3' },
  trust_mark_owner_unknown: { wire: 'invalid_trust_chain', section: '7.2.2' },
  trust_mark_status_not_active: { wire: 'invalid_trust_chain', section: '8.4' },
  trust_mark_status_not_fresh: { wire: 'invalid_trust_chain', section: '8.4' },
  trust_mark_status_mismatch: { wire: 'invalid_trust_chain', section: '8.4' },

  // Metadata
  metadata_invalid: { wire: 'invalid_metadata', section: '5' },
  metadata_null: { wire: 'invalid_metadata', section: '5' },

  // Metadata policy
  policy_malformed: { wire: 'invalid_metadata', section: '6.1.2' },
  policy_operator_value_invalid: { wire: 'invalid_metadata', section: '6.1.3.1' },
  policy_combination_forbidden: { wire: 'invalid_metadata', section: '6.1.3.1' },
  policy_conflict: { wire: 'invalid_metadata', section: '6.1.4.1' },
  policy_crit_invalid: { wire: 'invalid_trust_chain', section: '6.1.3.2' },
  policy_crit_unsupported: { wire: 'invalid_trust_chain', section: '6.1.3.2' },
  policy_parameter_type_unsupported: { wire: 'invalid_metadata', section: '6.1.3.1' },
  policy_value_not_allowed: { wire: 'invalid_metadata', section: '6.1.4.2' },
  policy_essential_missing: { wire: 'invalid_metadata', section: '6.1.3.1.7' },

  // Constraints
  constraints_malformed: { wire: 'invalid_trust_chain', section: '6.2' },
  max_path_length_exceeded: { wire: 'invalid_trust_chain', section: '6.2.1' },
  naming_constraint_violated: { wire: 'invalid_trust_chain', section: '6.2.2' },

  // Trust Chains
  trust_chain_malformed: { wire: 'invalid_trust_chain', section: '4' },
  trust_chain_loop: { wire: 'invalid_trust_chain', section: '10.1' },
  issuer_not_next_subject: { wire: 'invalid_trust_chain', section: '10.2' },
  trust_anchor_unknown: { wire: 'invalid_trust_chain', section: '10.2' },
  trust_anchor_key_unknown: { wire: 'invalid_trust_chain', section: '10.2' },

  // Discovery
  no_authority_hints: { wire: 'invalid_trust_chain', section: '10.1' },
  fetch_endpoint_missing: { wire: 'invalid_trust_chain', section: '8.1' },
  subject_not_active: { wire: 'invalid_trust_chain', section: '8.1' },
  budget_exhausted: { wire: 'temporarily_unavailable', section: '18.1' },
  entity_not_found: { wire: 'not_found', section: '9' },

  // Requests to a federation endpoint
  parameter_missing: { wire: 'invalid_request', section: '8' },
  parameter_invalid: { wire: 'invalid_request', section: '8' },
  parameter_repeated: { wire: 'invalid_request', section: '8' },
  method_not_served: { wire: 'invalid_request', section: '8.8' },
  subject_is_issuer: { wire: 'invalid_request', section: '8.1' },
  subject_unknown: { wire: 'not_found', section: '8.1' },
  trust_anchor_not_served: { wire: 'invalid_trust_anchor', section: '8.3' },
  subject_not_evaluated: { wire: 'invalid_subject', section: '8.3' },
  no_valid_trust_chain: { wire: 'invalid_trust_chain', section: '8.3' },
  resolved_metadata_invalid: { wire: 'invalid_metadata', section: '8.3' },
  resolution_unavailable: { wire: 'temporarily_unavailable', section: '8.3' },
  evaluation_under_way: { wire: 'temporarily_unavailable', section: '8.3' },
  rate_limited: { wire: 'temporarily_unavailable', section: '18.1' },
  request_body_invalid: { wire: 'invalid_request', section: '8' },
  client_assertion_required: { wire: 'invalid_client', section: '8.8' },
  client_unknown: { wire: 'invalid_client', section: '8.8' },
  client_assertion_missing: { wire: 'invalid_request', section: '8.8' },
  client_assertion_invalid: { wire: 'invalid_client', section: '8.8' },
  client_assertion_replayed: { wire: 'invalid_client', section: '8.8' },

  trust_mark_unknown: { wire: 'not_found', section: '8.4' },
  trust_mark_not_held: { wire: 'not_found', section: '8.6' },
  trust_mark_endpoint_missing: { wire: 'not_found', section: '8.6' },
  trust_mark_type_unknown: { wire: 'not_found', section: '7' },
  trust_mark_not_eligible: { wire: 'invalid_request', section: '7' },
  request_too_large: { wire: 'invalid_request', section: '18.1' },
  answer_too_large: { wire: 'invalid_request', section: '18.1' },

  // Key sets that subordinates push
  key_set_invalid: { wire: 'invalid_request', section: '5.2.1' },
  key_set_not_authorised: { wire: 'invalid_client', section: '11.2' },
  key_set_not_newer: { wire: 'invalid_request', section: '11.2' },

  // Requests to be enrolled
  enrolment_request_invalid: { wire: 'invalid_request', section: '8' },
  enrolment_request_not_authorised: { wire: 'invalid_client', section: '8.8' },

  // Companion drafts: paging and the choice of claims
  page_unknown: { wire: 'page_not_found', section: '8.2' },
  claim_unsupported: { wire: 'unsupported_claim', section: '8.2' },

  // Our own statements
  lint_failed: { wire: 'server_error', section: '3.1' },

  // Retrieval: only these come from the network
  address_forbidden: { wire: 'invalid_trust_chain', section: '18.1' },
  connection_failed: { wire: 'temporarily_unavailable', section: '10.5' },
  timed_out: { wire: 'temporarily_unavailable', section: '10.5' },
  redirect_refused: { wire: 'invalid_trust_chain', section: '9' },
  response_too_large: { wire: 'invalid_trust_chain', section: '18.1' },
  http_status_unexpected: { wire: 'invalid_trust_chain', section: '9.2' },
  server_unavailable: { wire: 'temporarily_unavailable', section: '10.5' },
  content_type_unexpected: { wire: 'invalid_trust_chain', section: '9.2' },
} as const satisfies Record<string, { wire: WireCode; section: string }>;

export type Reason = keyof typeof REASONS;

export interface RefusalOptions extends ErrorOptions {
  /** The section that demands this refusal, where it is another than the one in the table. */
  section?: string;
}

/**
 * A statement, chain, policy or answer that OpenID Federation forbids.
 * `at` is the place: a JSON Pointer into the claims (`/metadata/openid_provider/issuer`), `header` or `header/<name>`
 * for the JOSE header and its parameters, preceded by `ES[j] ` once the statement's position in a Trust Chain is known.
 */
export class FederationError extends Error {
  override readonly name = 'FederationError';
  readonly reason: Reason;
  readonly at: string;
  /** Section of OpenID Federation 1.0 that demands the refusal. */
  readonly section: string;

  constructor(reason: Reason, message: string, at = '', options?: RefusalOptions) {
    super(message, options);
    this.reason = reason;
    this.at = at;
    this.section = options?.section ?? REASONS[reason].section;
  }

  /** The OAuth-style error code that a federation endpoint answers for this reason (§8.9). */
  get wire(): WireCode {
    return REASONS[this.reason].wire;
  }

  /** The same refusal, with its place said relative to a larger whole, such as `ES[1]`. */
  within(outer: string): FederationError {
    const at = this.at === '' ? outer : `${outer} ${this.at}`;
    return new FederationError(this.reason, this.message, at, { cause: this.cause, section: this.section });
  }

  /** The same refusal, demanded by another section: Trust Marks share the rules of signed JWTs with statements. */
  demandedBy(section: string): FederationError {
    return new FederationError(this.reason, this.message, this.at, { cause: this.cause, section });
  }
}

/** One step of a JSON Pointer (RFC 6901 §3). */
export function pointer(...path: (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
