/** Why the registry does not do what it was asked: the caller may not, cannot, or asked wrongly. */

/** Stable codes with their kind; the API turns the kind into an HTTP status. */
export const REGISTRY_CODES = {
  validation_failed: 'validation',
  unauthenticated: 'unauthenticated',
  token_bound: 'unauthenticated',
  code_invalid: 'unauthenticated',
  role_missing: 'forbidden',
  four_eyes: 'forbidden',
  organisation_suspended: 'forbidden',
  not_active: 'forbidden',
  not_found: 'not_found',
  unknown_participant: 'not_found',
  resync_required: 'gone',
  illegal_transition: 'conflict',
  entity_exists: 'conflict',
  organisation_exists: 'conflict',
  contact_missing: 'conflict',
  limit_reached: 'conflict',
  policy_conflict: 'conflict',
  authorisation_domain_exists: 'conflict',
  role_exists: 'conflict',
  role_retired: 'conflict',
  role_assigned: 'conflict',
  role_not_held: 'conflict',
  authorization_server_exists: 'conflict',
  api_resource_exists: 'conflict',
  credential_exists: 'conflict',
  credential_in_use: 'conflict',
  wrong_environment: 'conflict',
  csr_signature_invalid: 'validation',
  weak_key: 'validation',
  key_reuse: 'conflict',
  certification_authority_exists: 'conflict',
  certification_authority_not_active: 'conflict',
  authority_exists: 'conflict',
  trust_anchor_exists: 'conflict',
  trust_list_entry_exists: 'conflict',
  enforcement_point_exists: 'conflict',
  token_issuer_exists: 'conflict',
  chain_untrusted: 'conflict',
  subject_mismatch: 'conflict',
  trust_mark_type_exists: 'conflict',
  trust_mark_type_retired: 'conflict',
  trust_mark_exists: 'conflict',
  not_eligible: 'conflict',
  delegation_exists: 'conflict',
  organisation_not_active: 'conflict',
  enrolment_required: 'conflict',
  evidence_changed: 'conflict',
  flow_changed: 'conflict',
  key_not_published: 'conflict',
  entity_not_active: 'conflict',
  last_key: 'conflict',
  key_barred: 'conflict',
  checks_failed: 'conflict',
  not_hosted: 'conflict',
  key_not_exportable: 'conflict',
  key_roll_pending: 'conflict',
  key_not_ready: 'conflict',
  key_changed: 'conflict',
  kid_reused: 'conflict',
  challenge_invalid: 'conflict',
  idempotency_key_reused: 'conflict',
  admin_exists: 'conflict',
  version_mismatch: 'precondition_failed',
  version_required: 'precondition_required',
} as const;

export type RegistryCode = keyof typeof REGISTRY_CODES;
export type RegistryErrorKind = (typeof REGISTRY_CODES)[RegistryCode];

/** A field of the request that is wrong, by JSON Pointer (RFC 6901). */
export interface FieldError {
  pointer: string;
  detail: string;
}

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryCode;
  /** Members that a machine can use: `allowed` transitions, wrong fields. */
  readonly details: { errors?: FieldError[]; [member: string]: unknown };

  constructor(code: RegistryCode, message: string, details: RegistryError['details'] = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }

  get kind(): RegistryErrorKind {
    return REGISTRY_CODES[this.code];
  }
}

/** A single wrong field. */
export function invalidField(pointer: string, detail: string): RegistryError {
  return new RegistryError('validation_failed', `${pointer} ${detail}`, { errors: [{ pointer, detail }] });
}
