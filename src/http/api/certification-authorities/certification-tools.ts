/** What the API needs for certification authorities and what is asked of them. */
import type { GenerateCertificationKey } from '../../../registry/certification/certification-authority.ts';
import type { IssueCertificate } from '../../../registry/certification/issue-certificate.ts';

export interface CertificationTools {
  generateKey: GenerateCertificationKey;
  issueCertificate: IssueCertificate;
  /** Where clients reach the service: what certificates say unless a certification authority says otherwise. */
  publicUrl: string;
}
