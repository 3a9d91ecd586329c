/** What the registry says of those who may be admitted, as the index in memory has it. Immutable: replaced, never changed. */
import type { NumericDate } from '../federation/time.ts';
import type { CredentialLife } from '../registry/credentials/credential-standing.ts';
import type { ParticipantState } from '../registry/states.ts';

export interface KnownOrganisation {
  id: string;
  legalName: string;
  state: ParticipantState;
}

/** A role that the application was given, within the time that its organisation has it. */
export interface KnownRole {
  roleId: string;
  name: string;
  /** Held from then on, and until then, seconds since the epoch; null: without beginning, without end. */
  validFrom: NumericDate | null;
  validTo: NumericDate | null;
}

/** Approved, and in force until then. */
export interface KnownException {
  kind: 'no_mtls' | 'unbound_token';
  endsAt: NumericDate;
}

export interface KnownApplication {
  id: string;
  authorityId: string;
  entityIdentifier: string;
  name: string | null;
  mode: 'live' | 'test';
  environment: string;
  state: ParticipantState;
  organisation: KnownOrganisation;
  /** The organisation that it acts for besides its own. */
  onBehalfOf: KnownOrganisation | null;
  roles: readonly KnownRole[];
  exceptions: readonly KnownException[];
}

/** A transport certificate. */
export interface KnownCertificate {
  /** SHA-256 over its DER, base64url: `x5t#S256` of RFC 8705. */
  x5tS256: string;
  /** As recorded; what the clock makes of it is credentialState's. */
  life: CredentialLife;
  /** Whether its issuer is on the authority's trust list, where the authority has one. */
  isTrusted: boolean;
  application: KnownApplication;
}

/** An API that asks for roles; any of them will do, and none at all if the list is empty. */
export interface KnownApi {
  id: string;
  authorityId: string;
  family: string;
  apiVersion: string;
  roleIds: readonly string[];
}
