/** The wiring of our own certification authorities: what makes their keys, signs for them and answers about what they issued. */
import { randomBytes } from 'node:crypto';
import type { Config } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import type { CertificationTools } from './http/api/certification-authorities/certification-tools.ts';
import { createCertificateIssuer } from './issuance/certificates/certificate-issuer.ts';
import { certificationKeys } from './issuance/certificates/certification-keys.ts';
import type { Log } from './observability/log.ts';
import type { IssueCertificate } from './registry/certification/issue-certificate.ts';
import type { ChangeContext } from './registry/change.ts';
import type { Signer } from './signer/signer.ts';
import type { ChangeFeed } from './storage/change-feed.ts';
import type { Database } from './storage/connect.ts';

export interface CertificationMaterials {
  config: Config;
  database: Database;
  signer: Signer;
  clock: Clock;
  log: Log;
  /** What this node follows; asked for once it runs. */
  feed: () => ChangeFeed;
  /** For changes that the service itself makes. */
  changeContext: () => ChangeContext;
}

export interface ComposedCertification {
  issueCertificate: IssueCertificate;
  /** What the API needs. */
  tools: CertificationTools;
}

export function composeCertification({ config, signer }: CertificationMaterials): ComposedCertification {
  const generateKey = certificationKeys({ signer, keyAlgorithm: config.keyAlgorithm });
  const issueCertificate = createCertificateIssuer({ signer, random: randomBytes });
  return { issueCertificate, tools: { generateKey, issueCertificate, publicUrl: config.baseUrl } };
}
