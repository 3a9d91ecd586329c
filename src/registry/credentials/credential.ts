/** Credentials as records: certificates and keys of an entity, beside its Federation Entity Keys. */
import type { JsonObject } from '../../federation/json.ts';
import type {
  CredentialKind,
  CredentialPossession,
  CredentialRevocationReason,
  CredentialUsage,
  credentials,
} from '../../storage/schema/credentials.ts';
import type { EntityMode } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';

export type CredentialRow = typeof credentials.$inferSelect;

/** What a credential's standing depends on beside itself. */
export interface CredentialOwner {
  organisationId: string;
  entityIdentifier: string;
  mode: EntityMode;
  /** The entity's own state, and its organisation's. */
  ownerState: ParticipantState;
  organisationState: ParticipantState;
  /** Whether its authority believes nothing for this use but what is below its trust list. */
  isPurposeListed: boolean;
  /** Whether `path` leads to what is on that list now. */
  isAnchorListed: boolean;
}

export interface Credential extends CredentialRow, CredentialOwner {}

/** As lists show it: chains are large and stay behind. */
export type ListedCredential = Omit<Credential, 'x5c'>;

export const CREDENTIAL_KINDS = ['x509', 'jwk'] as const satisfies readonly CredentialKind[];

export const CREDENTIAL_USAGES = ['transport', 'signing', 'encryption'] as const satisfies readonly CredentialUsage[];

export const CREDENTIAL_POSSESSIONS = ['unproven', 'proven'] as const satisfies readonly CredentialPossession[];

export const REVOCATION_REASONS = [
  'unspecified',
  'key_compromise',
  'ca_compromise',
  'affiliation_changed',
  'superseded',
  'cessation_of_operation',
  'privilege_withdrawn',
] as const satisfies readonly CredentialRevocationReason[];

/** Most credentials of an entity that may count at once. */
export const MAX_OPEN_CREDENTIALS = 50;

/** Longest time for which a credential may count beside the one that takes its place, in days. */
export const MAX_OVERLAP_DAYS = 90;

/** The record as the audit keeps it: fingerprints name key and certificate. */
export function credentialSnapshot(credential: CredentialRow): JsonObject {
  const { id: _, authorityId: __, version: ___, createdAt: ____, stateChangedAt: _____, ...rest } = credential;
  const { publicJwk: ______, x5c: _______, pathJudgedAt: ________, ...fields } = rest;
  return {
    ...fields,
    name: nameOf(credential),
    notBefore: fields.notBefore?.toISOString() ?? null,
    notAfter: fields.notAfter?.toISOString() ?? null,
    revokedAt: fields.revokedAt?.toISOString() ?? null,
    supersededAt: fields.supersededAt?.toISOString() ?? null,
  };
}

/** What people know it by. */
export function nameOf({ subject, kid }: Pick<CredentialRow, 'subject' | 'kid'>): string {
  return subject === null || subject === '' ? kid : subject;
}
