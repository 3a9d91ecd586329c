/** The wiring of our own certification authorities: what makes their keys, signs for them and answers about what they issued. */
import { randomBytes } from 'node:crypto';
import type { Config } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import type { CertificationTools } from './http/api/certification-authorities/certification-tools.ts';
import { createCertificateIssuer } from './issuance/certificates/certificate-issuer.ts';
import { certificationKeys } from './issuance/certificates/certification-keys.ts';
import { OcspResponses } from './issuance/certificates/ocsp-responses.ts';
import { OcspSigners } from './issuance/certificates/ocsp-signers.ts';
import { RevocationLists } from './issuance/certificates/revocation-lists.ts';
import type { Log } from './observability/log.ts';
import type { IssueCertificate } from './registry/certification/issue-certificate.ts';
import type { ChangeContext } from './registry/change.ts';
import type { Signer } from './signer/signer.ts';
import type { ChangeFeed, RegistryChange } from './storage/change-feed.ts';
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
  revocationLists: RevocationLists;
  ocspResponses: OcspResponses;
  ocspSigners: OcspSigners;
  /** Drops what the changes made untrue, before their seq is served. */
  follow: (changes: RegistryChange[]) => Promise<void>;
  /** What the API needs. */
  tools: CertificationTools;
}

export function composeCertification({
  config,
  database: { db, feedDb },
  signer,
  clock,
  feed: state,
  changeContext,
}: CertificationMaterials): ComposedCertification {
  const generateKey = certificationKeys({ signer, keyAlgorithm: config.keyAlgorithm });
  const issueCertificate = createCertificateIssuer({ signer, random: randomBytes });
  const revocationLists = new RevocationLists({ db, feedDb, signer, clock, state });
  const ocspSigners = new OcspSigners({ db, clock, signer, issueCertificate, changeContext });
  const ocspResponses = new OcspResponses({ db, clock, signer, signers: ocspSigners });
  return {
    ...{ issueCertificate, revocationLists, ocspResponses, ocspSigners },
    follow: async (changes) => {
      ocspSigners.follow(changes);
      ocspResponses.follow(changes);
      await revocationLists.follow(changes);
    },
    tools: { generateKey, issueCertificate, publicUrl: config.baseUrl },
  };
}
