/** Where a certification authority publishes what others need to rely on its certificates. */
import type { CertificateUrls } from '../../pki/profile/write-certificate.ts';

/** @param row its id, and where clients reach the service; see certification_authorities */
export function certificationUrls({ id, publicUrl }: { id: string; publicUrl: string }): CertificateUrls {
  const base = `${publicUrl}/ca/${id}`;
  return { revocationList: `${base}/crl`, ocsp: `${base}/ocsp`, issuer: `${base}/certificate` };
}
