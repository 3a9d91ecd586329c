/** Who can mend what was refused: one rule for each reason. */
import type { Reason } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';

/** `caller`: whoever asked, with their own settings. `network`: nobody in the federation, for all that we know. */
export type MenderRole = 'subject' | 'superior' | 'trust_anchor' | 'trust_mark_issuer' | 'caller' | 'network';

export interface Mender {
  role: MenderRole;
  /** Whose operator it is; for `network`, whose server did not answer. */
  entity?: EntityIdentifier;
  /** What to do, as the end of a sentence that begins with the entity. */
  advice: string;
}

/** `issuer`: of the statement at fault, whatever its place in the chain. */
type Responsible = 'issuer' | 'subject' | 'trust_anchor' | 'trust_mark_issuer' | 'caller' | 'network';

interface Rule {
  who: Responsible;
  advice: string;
}

const issuer = (advice: string): Rule => ({ who: 'issuer', advice });
const subject = (advice: string): Rule => ({ who: 'subject', advice });
const anchor = (advice: string): Rule => ({ who: 'trust_anchor', advice });
const markIssuer = (advice: string): Rule => ({ who: 'trust_mark_issuer', advice });
const caller = (advice: string): Rule => ({ who: 'caller', advice });
const network = (advice: string): Rule => ({ who: 'network', advice });

const ENCODING = issuer('publishes a well-formed statement');
const HEADER = issuer('signs with a proper JOSE header');
const KEYS = issuer('publishes a proper JWK Set');
const SIGNATURE = issuer('signs with a key that its superior states for it, or has the superior state the new one');
const CLAIMS = issuer('corrects the claims of this statement');
const RENEWAL = issuer('publishes a fresh statement');
const METADATA = subject('corrects the metadata that it publishes');
const POLICY = issuer('corrects its metadata policy');
const MERGE = issuer('agrees on policies with the superiors above it');
const COMPLIANCE = subject('changes the metadata that it publishes, or asks the superior whose policy refuses it');
const CONSTRAINT = issuer('relaxes the constraint, or the subject moves');
const ANSWER = issuer('answers as the standard says');
const REACH = network('try again later; if it lasts, the operator of the server has to look');
const QUESTION = caller('asks in another way');
const MARK = markIssuer('issues a proper Trust Mark');

/** Every reason has its rule; a test holds the two tables against each other. */
export const MENDERS: Readonly<Record<Reason, Rule>> = {
  entity_identifier_invalid: CLAIMS,
  json_malformed: ENCODING,
  json_duplicate_member: ENCODING,
  json_too_deep: ENCODING,
  json_member_forbidden: ENCODING,
  jwt_malformed: ENCODING,
  jwt_too_large: ENCODING,

  typ_invalid: HEADER,
  alg_not_allowed: HEADER,
  kid_missing: HEADER,
  header_parameter_forbidden: HEADER,
  key_not_found: SIGNATURE,
  key_unsuitable: SIGNATURE,
  signature_invalid: SIGNATURE,
  jwks_invalid: KEYS,
  jwk_private: KEYS,

  claim_missing: CLAIMS,
  claim_invalid: CLAIMS,
  claim_forbidden: CLAIMS,
  subject_mismatch: CLAIMS,
  issuer_mismatch: CLAIMS,
  not_entity_configuration: CLAIMS,
  not_subordinate_statement: CLAIMS,
  issuer_not_in_authority_hints: subject('names this superior in its authority_hints'),
  statement_expired: RENEWAL,
  statement_not_yet_valid: issuer('sets its clock'),
  crit_invalid: CLAIMS,
  crit_not_understood: issuer('does without the critical claim'),
  authority_hints_invalid: CLAIMS,
  trust_mark_type_mismatch: CLAIMS,

  trust_mark_not_yet_valid: markIssuer('sets its clock'),
  trust_mark_expired: markIssuer('issues the Trust Mark anew'),
  trust_mark_type_unrecognised: anchor('lists the type in trust_mark_issuers, if it is to count'),
  trust_mark_issuer_not_trusted: anchor('lists the issuer in trust_mark_issuers, if it is to be believed'),
  trust_mark_issuer_unresolved: markIssuer('gets a valid Trust Chain to the same Trust Anchor'),
  trust_mark_delegation_missing: markIssuer('includes the delegation of the owner'),
  trust_mark_owner_unknown: anchor('states the owner in trust_mark_owners'),
  trust_mark_status_not_active: markIssuer('sets the Trust Mark active again'),
  trust_mark_status_not_fresh: markIssuer('answers with a fresh status'),
  trust_mark_status_mismatch: markIssuer('answers about the Trust Mark that it was asked about'),
  trust_mark_unknown: QUESTION,
  trust_mark_not_held: QUESTION,
  trust_mark_endpoint_missing: QUESTION,
  trust_mark_type_unknown: QUESTION,
  trust_mark_not_eligible: QUESTION,
  request_too_large: QUESTION,
  answer_too_large: QUESTION,
  page_unknown: QUESTION,
  claim_unsupported: QUESTION,

  metadata_invalid: METADATA,
  metadata_null: METADATA,

  policy_malformed: POLICY,
  policy_operator_value_invalid: POLICY,
  policy_combination_forbidden: MERGE,
  policy_conflict: MERGE,
  policy_crit_invalid: POLICY,
  policy_crit_unsupported: POLICY,
  policy_parameter_type_unsupported: COMPLIANCE,
  policy_value_not_allowed: COMPLIANCE,
  policy_essential_missing: COMPLIANCE,

  constraints_malformed: CLAIMS,
  max_path_length_exceeded: CONSTRAINT,
  naming_constraint_violated: CONSTRAINT,

  trust_chain_malformed: caller('hands over the whole chain, the Entity Configuration of the subject first'),
  trust_chain_loop: issuer('removes from its authority_hints what stands below it'),
  issuer_not_next_subject: caller('hands over the statements of one chain in their order'),
  trust_anchor_unknown: caller('configures it with its keys if it is to be a Trust Anchor'),
  trust_anchor_key_unknown: caller(
    'compares the keys configured for the Trust Anchor with its present ones, out of band',
  ),

  no_authority_hints: subject('names its superiors in authority_hints'),
  fetch_endpoint_missing: issuer('publishes its federation_fetch_endpoint'),
  subject_not_active: issuer('vouches for the entity below it, or the entity below stops naming it'),
  budget_exhausted: caller('allows a larger budget, if the federation is meant to be so large'),
  entity_not_found: issuer('publishes its Entity Configuration at the well-known place'),

  parameter_missing: QUESTION,
  parameter_invalid: QUESTION,
  parameter_repeated: QUESTION,
  method_not_served: QUESTION,
  subject_is_issuer: QUESTION,
  subject_unknown: QUESTION,
  trust_anchor_not_served: QUESTION,
  subject_not_evaluated: caller('asks with a token or a client assertion'),
  no_valid_trust_chain: subject('gets a valid Trust Chain'),
  resolved_metadata_invalid: METADATA,
  resolution_unavailable: REACH,
  evaluation_under_way: caller('asks again shortly'),
  rate_limited: caller('asks less often'),
  request_body_invalid: QUESTION,
  client_assertion_required: QUESTION,
  client_unknown: QUESTION,
  client_assertion_missing: QUESTION,
  client_assertion_invalid: QUESTION,
  client_assertion_replayed: QUESTION,

  key_set_invalid: QUESTION,
  key_set_not_authorised: QUESTION,
  key_set_not_newer: QUESTION,
  enrolment_request_invalid: QUESTION,
  enrolment_request_not_authorised: QUESTION,

  lint_failed: issuer('corrects what it signs'),

  address_forbidden: caller('allows the address, if it is meant to be contacted'),
  connection_failed: REACH,
  timed_out: REACH,
  redirect_refused: ANSWER,
  response_too_large: ANSWER,
  http_status_unexpected: ANSWER,
  server_unavailable: REACH,
  content_type_unexpected: ANSWER,
};

/** Where something was refused, as far as it says who is responsible. */
export interface RefusalPlace {
  subject: EntityIdentifier;
  /** The configured Trust Anchors. */
  trustAnchors: Pick<ReadonlySet<EntityIdentifier>, 'has'>;
  /** Whoever issued the statement in question, or was asked for it. */
  issuer: EntityIdentifier;
}

export function whoCanMend(reason: Reason, { subject, trustAnchors, issuer: issuedBy }: RefusalPlace): Mender {
  const { who, advice } = MENDERS[reason];
  switch (who) {
    case 'caller':
      return { role: 'caller', advice };
    case 'subject':
      return { role: 'subject', entity: subject, advice };
    case 'network':
      return { role: 'network', entity: issuedBy, advice };
    case 'trust_mark_issuer':
      return { role: 'trust_mark_issuer', entity: issuedBy, advice };
    case 'issuer':
    case 'trust_anchor':
      return { role: roleOf(issuedBy, subject, trustAnchors), entity: issuedBy, advice };
  }
}

function roleOf(
  entity: EntityIdentifier,
  subject: EntityIdentifier,
  trustAnchors: RefusalPlace['trustAnchors'],
): MenderRole {
  if (entity === subject) return 'subject';
  return trustAnchors.has(entity) ? 'trust_anchor' : 'superior';
}

/** The same for a Trust Mark: whatever is wrong with it in itself is its issuer's. */
export function whoCanMendMark(
  reason: Reason,
  { markIssuer: issuedBy, ...place }: { markIssuer?: EntityIdentifier; trustAnchor: EntityIdentifier },
): Mender {
  const { who, advice } = MENDERS[reason];
  switch (who) {
    case 'caller':
      return { role: 'caller', advice };
    case 'trust_anchor':
      return { role: 'trust_anchor', entity: place.trustAnchor, advice };
    case 'network':
      return { role: 'network', entity: issuedBy, advice };
    case 'trust_mark_issuer':
      return { role: 'trust_mark_issuer', entity: issuedBy, advice };
    case 'issuer':
    case 'subject':
      return { role: 'trust_mark_issuer', entity: issuedBy, advice: MARK.advice };
  }
}

/** The issuer of the statement at which an attempt ended; the subject where no statement is named. */
export function issuerAtFault({ chain, at, reason, complete }: Attempt, subject: EntityIdentifier): EntityIdentifier {
  const [, position] = /^ES\[(\d+)\]/.exec(at) ?? [];
  // The Trust Anchor issued the last statement below its own configuration, too.
  if (position !== undefined) return chain[Math.min(Number(position), chain.length - 1)] ?? subject;
  if (complete === true || at === '') return subject;
  // A hint that closes a loop leads to the last entity; the one before gave it.
  return chain.at(reason === 'trust_chain_loop' ? -2 : -1) ?? subject;
}
