/** What is asked: whether whoever shows this certificate, and this token, is admitted here and now. */
import type { NumericDate } from '../federation/time.ts';
import type { DenyReason } from './deny-reasons.ts';

/** Where somebody wants to come in, as the enforcement point's record says; no caller can change it. */
export interface EnforcementPlace {
  authorityId: string;
  /** Nobody is let in through one that is not active. */
  state: 'active' | 'suspended' | 'removed';
  mode: 'live' | 'test';
  environment: string;
  /** The API that is behind it; null: requests may name one. */
  apiId: string | null;
  /** How old what a node knows may be, in seconds. */
  maxStalenessSeconds: number;
  /** Whether a certificate alone admits nobody. */
  isTokenRequired: boolean;
}

/** The client certificate: its `x5t#S256`, none, or something that is no certificate. */
export type PresentedCertificate = { x5tS256: string } | 'none' | 'malformed';

export interface AdmissionQuestion {
  place: EnforcementPlace;
  certificate: PresentedCertificate;
  /** Whether an access token came along, which then has to be verified. */
  isTokenPresented: boolean;
  /** SHA-256 of it, base64url, where the decision is explained. */
  tokenSha256?: string | undefined;
  /** An API resource by its id. */
  api?: string | undefined;
  /** The application by its Entity Identifier. */
  entityId?: string | undefined;
  /** An organisation by its id. */
  onBehalfOf?: string | undefined;
}

/** What verifying an access token came to, by whichever way its issuer allows. */
export type TokenVerdict =
  | { reason: DenyReason; detail: string }
  | {
      /** `cnf.x5t#S256` of RFC 8705 §3.1. */
      boundTo: string | undefined;
      clientId: string | undefined;
      expiresAt: NumericDate;
      /** Whether what it rests on is still so; left out, it rests on nothing that changes. */
      isStillBelieved?: () => boolean;
    };

/** What resolving the application's Entity Identifier came to. */
export type ChainVerdict =
  | { reason: DenyReason; detail: string }
  | { trustAnchor: string; trustMarkTypes: readonly string[]; expiresAt: NumericDate };
