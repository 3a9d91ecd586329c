/** Requests for certificates as records: who asked for what, and what became of it. */
import type { JsonObject } from '../../federation/json.ts';
import type { CertificateRequestState, certificateRequests } from '../../storage/schema/certificate-requests.ts';
import type { CertificateProfile } from '../../storage/schema/certification-authorities.ts';
import type { CredentialUsage } from '../../storage/schema/credentials.ts';
import type { Actor } from '../actor.ts';
import type { ChangeContext, Idempotency } from '../change.ts';
import type { Credential } from '../credentials/credential.ts';
import type { IssueCertificate } from './issue-certificate.ts';

export type CertificateRequestRow = typeof certificateRequests.$inferSelect;

/** As it is read: with whose it is, and without the bytes that came. */
export interface CertificateRequest extends Omit<CertificateRequestRow, 'request'> {
  organisationId: string;
  entityIdentifier: string;
}

/** What a verb needs that may end in a certificate. */
export interface CertificationContext extends ChangeContext {
  issueCertificate: IssueCertificate;
}

/** The same for who has no token: what he shows says in whose name he acts. */
export type TokenlessCertificationContext = Omit<CertificationContext, 'actor'>;

export interface NewCertificateRequest {
  /** PKCS#10: DER, or PEM. */
  request: Uint8Array | string;
  profile: CertificateProfile;
  /** Id of the credential that the new certificate is to take the place of. */
  replaces?: string;
  /** Left out: the only active one of the authority. */
  certificationAuthorityId?: string;
}

export interface CertificateOutcome {
  request: CertificateRequest;
  /** null while it waits for approval; its first `x5c` is the certificate. */
  credential: Credential | null;
}

/** See request-certificate.ts. */
export type RequestCertificate = (
  context: CertificationContext,
  entityId: string,
  request: NewCertificateRequest,
  idempotency?: Idempotency,
) => Promise<CertificateOutcome>;

export interface RequestWithCode {
  code: string;
  /** PKCS#10: DER, or PEM. */
  request: Uint8Array | string;
  /** Whom the client asks; left out: whomever the code is for. */
  certificationAuthorityId?: string;
}

/** See certificate-codes.ts. */
export type RequestCertificateWithCode = (
  context: TokenlessCertificationContext,
  request: RequestWithCode,
) => Promise<CertificateOutcome>;

export interface Reenrolment {
  /** Id of the credential whose private key the client showed to have: that of its TLS connection. */
  presented: string;
  /** PKCS#10: DER, or PEM. */
  request: Uint8Array | string;
  /** Whom the client asks; left out: whoever issued what it presented. */
  certificationAuthorityId?: string;
}

/** See renew-certificate.ts. */
export type Reenrol = (context: TokenlessCertificationContext, renewal: Reenrolment) => Promise<CertificateOutcome>;

export const CERTIFICATE_REQUEST_STATES = [
  'pending',
  'issued',
  'rejected',
  'lapsed',
] as const satisfies readonly CertificateRequestState[];

/** Of a request as PEM, in characters: those of 16 KiB in base64. */
export const MAX_REQUEST_LENGTH = 24 * 1024;

/** Most requests of an entity that may wait at once. */
export const MAX_WAITING_REQUESTS = 10;

/** How long a request waits for approval, in days. */
export const REQUEST_LIFETIME_DAYS = 14;

export const CERTIFICATE_PROFILES = ['client', 'server', 'signing'] as const satisfies readonly CertificateProfile[];

/** What the record of a certificate says that it is for. */
export const PROFILE_USAGE: Readonly<Record<CertificateProfile, CredentialUsage>> = {
  client: 'transport',
  server: 'transport',
  signing: 'signing',
};

/** Who asked or decided, as the record keeps it. */
export function actorRecord({ kind, id, name }: Actor): JsonObject {
  return { kind, id, name };
}

/** The record as the audit keeps it: the fingerprint names its key. */
export function certificateRequestSnapshot(request: CertificateRequestRow): JsonObject {
  const { entityId, certificationAuthorityId, profile, state, spkiSha256, replaces, credentialId, channel } = request;
  return { entityId, certificationAuthorityId, profile, state, spkiSha256, replaces, credentialId, channel };
}
