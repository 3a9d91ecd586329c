/** Fingerprints of certificates as other tools show them. */

/** As `openssl x509 -fingerprint -sha256` writes it. */
export function hexFingerprint(base64url: string): string {
  return (Buffer.from(base64url, 'base64url').toString('hex').toUpperCase().match(/../g) ?? []).join(':');
}
