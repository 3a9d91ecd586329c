/** `typ` header values and HTTP content types. None of them takes parameters. @see OIDFED §15, Subordinate Events §2.3 */

export const TYP = {
  entityStatement: 'entity-statement+jwt',
  resolveResponse: 'resolve-response+jwt',
  jwkSet: 'jwk-set+jwt',
  trustMark: 'trust-mark+jwt',
  trustMarkDelegation: 'trust-mark-delegation+jwt',
  trustMarkStatusResponse: 'trust-mark-status-response+jwt',
  entityEvents: 'entity-events-statement+jwt',
  /** Ours: a key's signature over an enrolment challenge. */
  keyProof: 'holdfast-key-proof+jwt',
  /** Ours: whoever hands in a certificate or key has its private half. */
  credentialPossession: 'credential-possession+jwt',
  /** Ours: what the audit was at a seq. */
  auditCheckpoint: 'audit-checkpoint+jwt',
  /** Ours: whether somebody is admitted at an enforcement point. */
  admissionDecision: 'admission-decision+jwt',
  /** Ours: what an authority says of an application to whoever registers it. */
  softwareStatement: 'software-statement+jwt',
  /** Ours: an entity asks to be enrolled. */
  enrolmentRequest: 'enrolment-request+jwt',
  /** Ours: an authority asks a hook about an enrolment. */
  enrolmentHook: 'enrolment-hook+jwt',
  explicitRegistrationResponse: 'explicit-registration-response+jwt',
} as const;

export type Typ = (typeof TYP)[keyof typeof TYP];

export const MEDIA_TYPE = {
  entityStatement: 'application/entity-statement+jwt',
  resolveResponse: 'application/resolve-response+jwt',
  jwkSet: 'application/jwk-set+jwt',
  trustChain: 'application/trust-chain+json',
  trustMark: 'application/trust-mark+jwt',
  trustMarkStatusResponse: 'application/trust-mark-status-response+jwt',
  entityEvents: 'application/entity-events-statement+jwt',
  enrolmentRequest: 'application/enrolment-request+jwt',
  enrolmentHook: 'application/enrolment-hook+jwt',
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
} as const;
