/** What the registry says of those who may be admitted, record by record: what an index in memory holds of it. */
import type { JwkSet } from '../../federation/jwk-set.ts';
import type { NumericDate } from '../../federation/time.ts';
import type { CertificatePath, DecidedCredentialState } from '../../storage/schema/credentials.ts';
import type { CertificateHeaderForm, EnforcementPointState } from '../../storage/schema/enforcement-points.ts';
import type { IntrospectionSetting } from '../../storage/schema/token-issuers.ts';
import type { TrustListPurpose } from '../../storage/schema/trust-list-entries.ts';
import type { ParticipantState } from '../states.ts';

/** The kinds of records, as the audit calls their subjects. */
export interface KnownRecords {
  authority: KnownAuthority;
  trust_list_entry: KnownTrustListEntry;
  organisation: KnownOrganisation;
  role: KnownRole;
  role_assignment: KnownRoleAssignment;
  entity: KnownApplication;
  entity_exception: KnownException;
  credential: KnownCertificate;
  authorization_server: KnownAuthorizationServer;
  api_resource: KnownApi;
  enforcement_point: KnownEnforcementPoint;
  token_issuer: KnownTokenIssuer;
}

export type RecordKind = keyof KnownRecords;

export interface KnownAuthority {
  id: string;
  /** For these it believes only certificates below its trust list; otherwise whatever is registered counts. */
  listedPurposes: readonly TrustListPurpose[];
}

export interface KnownOrganisation {
  id: string;
  legalName: string;
  state: ParticipantState;
}

export interface KnownApplication {
  id: string;
  authorityId: string;
  organisationId: string;
  entityIdentifier: string;
  name: string | null;
  mode: 'live' | 'test';
  environment: string;
  state: ParticipantState;
  /** The organisation that it acts for besides its own, by its id. */
  onBehalfOf: string | null;
  /** Those of its organisation's role assignments that were given to it. */
  roleAssignmentIds: readonly string[];
  /** Federation Entity Keys that come with a certificate (`x5c`). */
  certifiedKeys: readonly CertifiedKey[];
}

/** A Federation Entity Key whose certificate may be used for TLS. */
export interface CertifiedKey {
  kid: string;
  x5tS256: string;
  /** SHA-256 over the SubjectPublicKeyInfo, base64url. */
  spkiSha256: string;
  /**
   * Why it does not count: the certificate names somebody else, so that who lists it is not its owner; or a credential of
   * the authority says so, by which the key is another entity's or compromised, or the certificate held or revoked.
   */
  objection: 'subject' | 'credential' | null;
  /** DER in base64, the leaf first. */
  x5c: readonly string[];
  /** First and last second in which certificate and key are valid. */
  notBefore: NumericDate;
  notAfter: NumericDate;
}

/** A role as it is defined; retired, nobody holds it. */
export interface KnownRole {
  id: string;
  name: string;
  isRetired: boolean;
}

/** A role that an organisation has. */
export interface KnownRoleAssignment {
  id: string;
  roleId: string;
  isRemoved: boolean;
  /** Countries where it counts, ISO 3166-1 alpha-2; none: everywhere. */
  jurisdictions: readonly string[];
  /** Held from then on, and until then, seconds since the epoch; null: without beginning, without end. */
  validFrom: NumericDate | null;
  validTo: NumericDate | null;
}

/** What an application was let off; in force until then. */
export interface KnownException {
  id: string;
  applicationId: string;
  kind: 'no_mtls' | 'unbound_token';
  endsAt: NumericDate;
}

/** A transport certificate, registered as such or with a Federation Entity Key. */
export interface KnownCertificate {
  id: string;
  applicationId: string;
  /** SHA-256 over its DER, base64url: `x5t#S256` of RFC 8705. */
  x5tS256: string;
  /** As recorded, times in seconds since the epoch; what the clock makes of it is credentialState's. */
  life: {
    state: DecidedCredentialState;
    notBefore: NumericDate | null;
    notAfter: NumericDate | null;
    supersededAt: NumericDate | null;
  };
  /** Its way to the trust list of its authority; null: there is none, or nobody looked. */
  path: CertificatePath | null;
}

/** A certificate authority on the trust list of an authority. */
export interface KnownTrustListEntry {
  id: string;
  authorityId: string;
  purpose: TrustListPurpose;
  /** Base64 of its DER. */
  certificate: string;
  x5tS256: string;
  /** Seconds since the epoch, both inclusive. */
  notBefore: NumericDate;
  notAfter: NumericDate;
}

/** An API that asks for roles; any of them will do, and none is needed if the list is empty. Removed ones are not known. */
export interface KnownApi {
  id: string;
  authorityId: string;
  family: string;
  apiVersion: string;
  roleIds: readonly string[];
  /** What access tokens for it must be meant for, of what their issuer lists; null: any of that. */
  audience: string | null;
  authorizationServerId: string;
  /** From then on nobody uses it, seconds since the epoch; null: for good. */
  retiresAt: NumericDate | null;
}

/** An authorization server: no API that it protects is offered for longer. Removed ones are not known. */
export interface KnownAuthorizationServer {
  id: string;
  /** Its Entity Identifier, and so `iss` of its tokens. */
  issuer: string;
  retiresAt: NumericDate | null;
}

/** A gateway or server that asks for admission; removed ones are not known. */
export interface KnownEnforcementPoint {
  id: string;
  name: string;
  authorityId: string;
  mode: 'live' | 'test';
  environment: string;
  /** The API that is behind it; null: requests may name one. */
  apiId: string | null;
  maxStalenessSeconds: number;
  isTokenRequired: boolean;
  certificateHeader: CertificateHeaderForm;
  /** SHA-256 of its token, base64url. With a client certificate as well, both are needed. */
  tokenDigest: string | null;
  clientX5tS256: string | null;
  /** One in so many allows is logged; 0: none. */
  allowSample: number;
  state: EnforcementPointState;
}

/** An authorization server whose tokens an authority believes; removed ones are not known. */
export interface KnownTokenIssuer {
  id: string;
  authorityId: string;
  issuer: string;
  audiences: readonly string[];
  jwks: JwkSet | null;
  jwksUri: string | null;
  introspection: IntrospectionSetting | null;
  /** `client_secret` for the introspection endpoint, under the master key. */
  sealedSecret: Uint8Array | null;
  acceptsUntypedTokens: boolean;
}
