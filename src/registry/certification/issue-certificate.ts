/** What the registry needs of whoever signs certificates; filled by who composes the program. */
import type { NamePart } from '../../pki/names/write-name.ts';
import type { AlternativeName } from '../../pki/profile/write-certificate.ts';
import type { CertifiedAuthorityRow } from './certification-authority.ts';

export interface CertificateOrder {
  /** Who issues it, with its key. */
  certificationAuthority: CertifiedAuthorityRow;
  profile: 'client' | 'server' | 'signing' | 'ocsp-responder';
  /** From the root down. */
  subject: readonly NamePart[];
  alternativeNames: readonly AlternativeName[];
  /** SubjectPublicKeyInfo in DER of the key that it is for. */
  spki: Uint8Array;
  /** Whole seconds, both inclusive. */
  notBefore: Date;
  notAfter: Date;
}

/**
 * Makes, lints and signs a certificate. It counts once it is recorded.
 * @returns its DER, and its serial number in hexadecimal without leading zeros
 * @throws CertificateError where it would not be as its profile says; CustodyUnavailable
 */
export type IssueCertificate = (order: CertificateOrder) => Promise<{ der: Uint8Array; serial: string }>;
