/** What the registry says of those who may be admitted, record by record: what an index in memory holds of it. */
import type { NumericDate } from '../../federation/time.ts';
import type { CredentialLife } from '../credentials/credential-standing.ts';
import type { ParticipantState } from '../states.ts';

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

/** A transport certificate. */
export interface KnownCertificate {
  id: string;
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
