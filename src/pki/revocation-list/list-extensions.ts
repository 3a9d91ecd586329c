/** Object identifiers of the extensions that lists of revocations, and their entries, have. @see RFC 5280 §5.2, §5.3 */
export const LIST_EXTENSION = {
  number: '2.5.29.20',
  reason: '2.5.29.21',
  authorityKeyIdentifier: '2.5.29.35',
} as const;
