/** What the registry says of those who may be admitted, record by record. Immutable: replaced, never changed. */
import type { NumericDate } from '../federation/time.ts';
import type { CredentialLife } from '../registry/credentials/credential-standing.ts';
import type { ParticipantState } from '../registry/states.ts';

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
}

/** A role that an organisation has. */
export interface KnownRole {
  roleId: string;
  name: string;
  /** Countries where it counts, ISO 3166-1 alpha-2; none: everywhere. */
  jurisdictions: readonly string[];
  /** Held from then on, and until then, seconds since the epoch; null: without beginning, without end. */
  validFrom: NumericDate | null;
  validTo: NumericDate | null;
}

/** What an application was let off; approved, and in force until then. */
export interface KnownException {
  kind: 'no_mtls' | 'unbound_token';
  endsAt: NumericDate;
}

/** A transport certificate. */
export interface KnownCertificate {
  credentialId: string;
  applicationId: string;
  /** SHA-256 over its DER, base64url: `x5t#S256` of RFC 8705. */
  x5tS256: string;
  /** As recorded; what the clock makes of it is credentialState's. */
  life: CredentialLife;
  /** Whether its issuer is on the authority's trust list, where the authority has one. */
  isTrusted: boolean;
}

/** An API that asks for roles; any of them will do, and none is needed if the list is empty. */
export interface KnownApi {
  id: string;
  authorityId: string;
  family: string;
  apiVersion: string;
  roleIds: readonly string[];
}

/** The registry at a `seq`, as far as admission needs it. */
export interface KnownState {
  seq: number;
  /** Seconds since the registry last confirmed that nothing is newer. */
  ageSeconds: number;
  /** Several, if a certificate was registered again after it had ended; the last one last. */
  certificates(x5tS256: string): readonly KnownCertificate[];
  application(id: string): KnownApplication | undefined;
  applicationNamed(authorityId: string, entityIdentifier: string): KnownApplication | undefined;
  organisation(id: string): KnownOrganisation | undefined;
  /** Neither taken from it nor from its organisation, nor retired; what the clock makes of them is not looked at. */
  roles(application: KnownApplication): readonly KnownRole[];
  exceptions(applicationId: string): readonly KnownException[];
  api(id: string): KnownApi | undefined;
}
