/** Why a certificate counts no more, by number. @see RFC 5280 §5.3.1 */

/** `removeFromCRL` (8) is of delta lists, of which there are none here. */
export const CRL_REASON = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type CrlReason = (typeof CRL_REASON)[keyof typeof CRL_REASON];

const REASONS: ReadonlySet<number> = new Set(Object.values(CRL_REASON));

export function isCrlReason(number: number): number is CrlReason {
  return REASONS.has(number);
}
