/** Records of an authority and its subordinates as the registry holds them: statements about them take about 1 KB. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import { type Authority, DEFAULT_LIFETIMES } from '../../../src/registry/authorities/authority.ts';
import { authorityLocation } from '../../../src/registry/authorities/authority-location.ts';
import { DEFAULT_KEY_SETTINGS } from '../../../src/registry/authorities/keys/key-settings.ts';
import { NO_RECOGNITION } from '../../../src/registry/authorities/recognition-settings.ts';
import type { EntityRow } from '../../../src/registry/entities/entity.ts';
import { recordId } from '../../../src/registry/record-id.ts';
import type { organisations } from '../../../src/storage/schema/organisations.ts';
import { ANCHOR_POLICY, ENTITY_TYPES } from './relying-party.ts';

export const TRUST_ANCHOR = 'https://trust-anchor.example';

/** A type of Trust Marks as those who issue it define it. */
export const MARKED_TYPE = {
  trustMarkType: `${TRUST_ANCHOR}/marks/member`,
  name: 'Member',
  logoUri: `${TRUST_ANCHOR}/marks/member.svg`,
  ref: `${TRUST_ANCHOR}/marks/member`,
  lifetimeSeconds: 86_400,
  additionalClaims: { assurance_level: 'substantial' },
};

export type OrganisationRow = typeof organisations.$inferSelect;

/** As long for each index, so that all statements have one size. */
export function subordinateIdentifier(index: number): string {
  return `https://rp-${String(index).padStart(6, '0')}.partners.example`;
}

/** Real P-256 public keys, named by their thumbprints. */
export async function generatePublicKeys(count: number): Promise<Jwk[]> {
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      const { kty = 'EC', ...members } = await exportJWK(publicKey);
      const kid = await calculateJwkThumbprint({ kty, ...members });
      return { kty, ...members, kid, alg: 'ES256', use: 'sig' };
    }),
  );
}

export function authorityRecord(now: Date): Authority {
  return {
    id: recordId(now.getTime(), 0),
    entityIdentifier: TRUST_ANCHOR,
    location: authorityLocation(TRUST_ANCHOR),
    name: 'Trust Anchor of the bench',
    authorityHints: [],
    metadata: {},
    defaultMetadataPolicy: ANCHOR_POLICY,
    defaultConstraints: null,
    ...DEFAULT_LIFETIMES,
    ...DEFAULT_KEY_SETTINGS,
    ...NO_RECOGNITION,
    keyProposals: 'hold',
    requiredContactTypes: [],
    enrolmentFlow: null,
    fourEyes: 'off',
    listedPurposes: [],
    contactConfirmationDays: null,
    lapseGraceDays: 30,
    onLapse: 'none',
    endpointAuthentication: {},
    version: 1,
    createdAt: now,
  };
}

export function organisationRecord(authorityId: string, index: number, now: Date): OrganisationRow {
  return {
    id: recordId(now.getTime(), 0),
    authorityId,
    legalName: `Partner ${index}`,
    registrationNumber: null,
    registrationRegister: null,
    registrationCountry: null,
    previousId: null,
    parentId: null,
    tags: [],
    state: 'active',
    stateReason: null,
    stateReasonCode: null,
    suspendedUntil: null,
    stateChangedAt: now,
    version: 2,
    createdAt: now,
  };
}

export function entityRecord(organisation: OrganisationRow, index: number, now: Date): EntityRow {
  return {
    id: recordId(now.getTime(), 0),
    authorityId: organisation.authorityId,
    organisationId: organisation.id,
    previousId: null,
    entityIdentifier: subordinateIdentifier(index),
    name: null,
    mode: 'live',
    environment: 'production',
    onBehalfOf: null,
    enrolment: 'published',
    registeredEntityTypes: ENTITY_TYPES,
    registeredIntermediate: false,
    verifiedEntityTypes: ENTITY_TYPES,
    verifiedIntermediate: false,
    metadata: superiorMetadata(index),
    metadataPolicy: {},
    constraints: null,
    additionalClaims: {},
    crit: [],
    statementLifetimeSeconds: null,
    checks: [],
    evidence: {},
    state: 'active',
    stateReason: null,
    stateReasonCode: null,
    suspendedUntil: null,
    stateChangedAt: now,
    version: 2,
    createdAt: now,
    addedBy: null,
    registeredAt: now,
    updatedAt: now,
  };
}

/** What the superior says of the subordinate itself; as long for each index. */
function superiorMetadata(index: number): JsonObject {
  return { openid_relying_party: { organization_name: `Partner ${String(index).padStart(6, '0')}` } };
}
