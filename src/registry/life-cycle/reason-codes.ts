/** Why something changed its state, in words for machines: stable, and few enough to be counted. */
import type { Transition } from '../states.ts';

/** What each code means, for whoever has to choose one. */
export const REASON_CODES = {
  requirements_met: 'all that was asked for is there',
  requirements_not_met: 'something that was asked for is missing or wrong',
  duplicate: 'it is on record already',
  own_request: 'its organisation asked for it',
  ceased: 'the organisation, or what it ran, is no more',
  replaced: 'another record took its place',
  security_incident: 'keys, systems or people are compromised, or thought to be',
  technical_fault: 'it does not work as it must, and harms others',
  investigation: 'something has to be found out first',
  terms_breached: 'it broke what it agreed to',
  regulatory: 'an authorisation that it needs by law is limited or gone',
  attestation_lapsed: 'contacts or certifications were not confirmed in time',
  resolved: 'what it was suspended for is over',
  period_ended: 'the time that was set for its suspension is over',
  mistake: 'it should not have been suspended',
  other: 'as the note says',
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof REASON_CODES;

/** Which codes a transition may have. */
export const REASON_CODES_OF = {
  approve: ['requirements_met', 'other'],
  reject: ['requirements_not_met', 'duplicate', 'own_request', 'other'],
  suspend: [
    'security_incident',
    'technical_fault',
    'investigation',
    'terms_breached',
    'regulatory',
    'attestation_lapsed',
    'own_request',
    'other',
  ],
  reinstate: ['resolved', 'period_ended', 'mistake', 'other'],
  withdraw: ['own_request', 'ceased', 'replaced', 'other'],
  revoke: ['security_incident', 'terms_breached', 'regulatory', 'ceased', 'other'],
} as const satisfies Record<Transition, readonly ReasonCode[]>;
