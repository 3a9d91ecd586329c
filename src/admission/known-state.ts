/** What admission knows of the registry, and as of when. */
import type { NumericDate } from '../federation/time.ts';
import type {
  KnownApi,
  KnownApplication,
  KnownAuthorizationServer,
  KnownCertificate,
  KnownEnforcementPoint,
  KnownException,
  KnownOrganisation,
  KnownTokenIssuer,
  KnownTrustListEntry,
} from '../registry/participants/known-participants.ts';

/** A role that an application was given, neither taken from it nor from its organisation, nor retired. */
export interface GivenRole {
  roleId: string;
  name: string;
  /** Countries where it counts, ISO 3166-1 alpha-2; none: everywhere. */
  jurisdictions: readonly string[];
  /** Held from then on, and until then; null: without beginning, without end. */
  validFrom: NumericDate | null;
  validTo: NumericDate | null;
}

/** The registry at a `seq`, as far as admission needs it. */
export interface KnownState {
  seq: number;
  /** Seconds since the registry last confirmed that nothing is newer. */
  ageSeconds: number;
  /** Those of an authority; several, if a certificate was registered again after it had ended, the last one last. */
  certificates(x5tS256: string, authorityId: string): readonly KnownCertificate[];
  /** Whose it is: the same as by its `applicationId`, and quicker. */
  applicationOf(certificate: KnownCertificate): KnownApplication | undefined;
  application(id: string): KnownApplication | undefined;
  /** In all authorities, ended records too. */
  applicationsNamed(entityIdentifier: string): readonly KnownApplication[];
  applicationNamed(authorityId: string, entityIdentifier: string): KnownApplication | undefined;
  organisation(id: string): KnownOrganisation | undefined;
  /** What the clock makes of them is not looked at. */
  roles(application: KnownApplication): readonly GivenRole[];
  exceptions(applicationId: string): readonly KnownException[];
  /** One that was neither removed nor lost its authorization server; retired it may be by the clock. */
  api(id: string): KnownApi | undefined;
  authorizationServer(id: string): KnownAuthorizationServer | undefined;
  /** Whether an authority believes only certificates below its trust list when somebody connects with one. */
  isTransportListed(authorityId: string): boolean;
  /** The entry of the trust list for transport certificates. */
  transportAnchor(authorityId: string, x5tS256: string): KnownTrustListEntry | undefined;
  enforcementPoint(id: string): KnownEnforcementPoint | undefined;
  /** @param digest SHA-256 of the whole token, base64url */
  enforcementPointOfToken(digest: string): KnownEnforcementPoint | undefined;
  /** One that has no token. */
  enforcementPointOfClient(x5tS256: string): KnownEnforcementPoint | undefined;
  tokenIssuer(authorityId: string, issuer: string): KnownTokenIssuer | undefined;
  /** Those that can be asked about a token. */
  introspectingIssuers(authorityId: string): readonly KnownTokenIssuer[];
}
