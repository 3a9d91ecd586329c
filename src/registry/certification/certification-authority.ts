/** Certification authorities as records: who issues certificates for an authority, for how long, and until when. */
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { NamePart } from '../../pki/names/write-name.ts';
import type {
  CertificateProfile,
  CertificationAlgorithm,
  CertificationAuthorityState,
  certificationAuthorities,
} from '../../storage/schema/certification-authorities.ts';
import type { TrustListPurpose } from '../../storage/schema/trust-list-entries.ts';

export type { CertificateProfile, CertificationAlgorithm, CertificationAuthorityState };

/** With its key, as the signer takes it. */
export type CertificationAuthorityRow = typeof certificationAuthorities.$inferSelect;

/** What comes with its certificate. */
type Certified = 'x5c' | 'x5tS256' | 'notBefore' | 'notAfter' | 'activatedAt';

/** One that has its certificate: active, or retired after it was. */
export type CertifiedAuthorityRow = CertificationAuthorityRow & {
  [Column in Certified]: NonNullable<CertificationAuthorityRow[Column]>;
};

/** One as it may be shown: without the private half of its key, sealed or not. */
export interface CertificationAuthority
  extends Omit<CertificationAuthorityRow, 'sealedPrivateKey' | 'tokenObject' | 'purpose'> {
  /** For what its authority believes it: those of its trust lists that have one of its certificates. */
  listedFor: TrustListPurpose[];
}

/** What may be changed. */
export interface CertificationSettings {
  name: string;
  /** Where clients find its lists of revocations and its responder; without a slash at the end. */
  publicUrl: string;
  validityDays: Record<CertificateProfile, number>;
  overlapDays: number;
  revocationListLifetimeSeconds: number;
}

/** A key of a new certification authority as its maker hands it to the registry, with what asks for its certificate. */
export interface NewCertificationKey {
  kid: string;
  publicJwk: Jwk;
  /** Null when a token has the private half. */
  sealedPrivateKey: Uint8Array | null;
  custody?: 'sealed' | 'pkcs11';
  tokenObject?: string | null;
  /** PKCS#10 in DER, signed with the key. */
  request: Uint8Array;
}

/** Makes the key of a certification authority; filled by who composes the program. @throws CustodyUnavailable */
export type GenerateCertificationKey = (order: {
  certificationAuthorityId: string;
  /** Left out: as other keys of the deployment. */
  alg?: CertificationAlgorithm | undefined;
  subject: readonly NamePart[];
}) => Promise<NewCertificationKey & { alg: CertificationAlgorithm }>;

export const CERTIFICATION_ALGORITHMS = [
  'ES256',
  'ES384',
  'RS256',
] as const satisfies readonly CertificationAlgorithm[];

export const CERTIFICATION_AUTHORITY_STATES = [
  'pending',
  'active',
  'retired',
] as const satisfies readonly CertificationAuthorityState[];

/** Most certification authorities of one authority, retired ones among them. */
export const MAX_CERTIFICATION_AUTHORITIES = 50;

/** Of a common name. @see RFC 5280 Appendix A.1 ub-common-name */
export const MAX_CERTIFICATION_NAME_LENGTH = 64;

/** Longest validity of what is issued, in days. @see CA/Browser Forum Baseline Requirements §6.3.2 */
export const MAX_VALIDITY_DAYS = 397;

/** Bounds of the time from one list of revocations to the end of its life, in seconds. */
export const REVOCATION_LIST_LIFETIME = { min: 600, max: 30 * 86_400 } as const;

export const DEFAULT_CERTIFICATION_SETTINGS = {
  validityDays: { client: 397, server: 397, signing: 397 },
  overlapDays: 30,
  revocationListLifetimeSeconds: 86_400,
} as const satisfies Partial<CertificationSettings>;

/** Whether it has its certificate: it answers for what it issued, though it may issue nothing more. */
export function isCertified(row: CertificationAuthorityRow): row is CertifiedAuthorityRow {
  return row.x5c !== null;
}

/** @param listedFor see listed-for.ts */
export function certificationAuthorityRecord(
  { sealedPrivateKey: _, tokenObject: __, purpose: ___, ...row }: CertificationAuthorityRow,
  listedFor: TrustListPurpose[],
): CertificationAuthority {
  return { ...row, listedFor };
}

/** The record as the audit keeps it: fingerprints name its key and its certificate. */
export function certificationAuthoritySnapshot(row: CertificationAuthorityRow): JsonObject {
  const { name, state, kid, alg, custody, x5tS256, notBefore, notAfter } = row;
  const { publicUrl, validityDays, overlapDays, revocationListLifetimeSeconds } = row;
  return {
    ...{ name, state, kid, alg, custody, x5tS256 },
    notBefore: notBefore?.toISOString() ?? null,
    notAfter: notAfter?.toISOString() ?? null,
    ...{ publicUrl, validityDays, overlapDays, revocationListLifetimeSeconds },
  };
}
