/** Records as the API gives them: the members that the commands show or use, all others carried along. */
import { z } from 'zod';

const jsonObject = z.record(z.string(), z.unknown());
const jwk = z.looseObject({ kid: z.string(), kty: z.string(), alg: z.string().optional() });
const jwks = z.looseObject({ keys: z.array(jwk) });

export const whoamiSchema = z.looseObject({
  kind: z.string(),
  id: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  authorityIds: z.array(z.string()).nullable(),
  organisationIds: z.array(z.string()).nullable(),
  entityId: z.string().nullable(),
});

export const tokenSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  authorityIds: z.array(z.string()).nullable(),
  organisationIds: z.array(z.string()).nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  revokedAt: z.string().nullable(),
  previousExpiresAt: z.string().nullable(),
});

export const newTokenSchema = tokenSchema.extend({ secret: z.string() });

export const authoritySchema = z.looseObject({
  id: z.string(),
  entityIdentifier: z.string(),
  name: z.string(),
  kind: z.string(),
  authorityHints: z.array(z.string()),
  metadata: jsonObject,
  defaultMetadataPolicy: jsonObject,
  defaultConstraints: jsonObject.nullable(),
  configurationLifetimeSeconds: z.number(),
  statementLifetimeSeconds: z.number(),
  resolveLifetimeSeconds: z.number(),
  keyAnnounceSeconds: z.number().nullable(),
  keyRollIntervalSeconds: z.number().nullable(),
  isStandbyKeyKept: z.boolean(),
  keyProposals: z.string(),
  requiredContactTypes: z.array(z.string()),
  enrolmentFlow: z.array(z.looseObject({ step: z.string() })).nullable(),
  fourEyes: z.string(),
  listedPurposes: z.array(z.string()).optional(),
  contactConfirmationDays: z.number().nullish(),
  lapseGraceDays: z.number().optional(),
  onLapse: z.string().optional(),
  endpointAuthentication: z.record(z.string(), z.string()),
  trustMarkIssuers: z.record(z.string(), z.array(z.string())),
  trustMarkOwners: jsonObject,
  endpoints: z.record(z.string(), z.string()),
  version: z.number(),
  createdAt: z.string(),
});

export const authorityKeySchema = z.looseObject({
  kid: z.string(),
  alg: z.string(),
  purpose: z.string(),
  state: z.string(),
  publicJwk: jwk,
  createdAt: z.string(),
  activateAfter: z.string().nullable(),
  activatedAt: z.string().nullable(),
  retiredAt: z.string().nullable(),
  removeAfter: z.string().nullable(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  revocationReason: z.string().nullable(),
  superiors: z.array(
    z.looseObject({
      superior: z.string(),
      safeFrom: z.string().nullable(),
      seenAt: z.string().nullable(),
      failure: z.string().nullable(),
    }),
  ),
});

export const revokedKeySchema = z.looseObject({
  key: authorityKeySchema,
  signingKid: z.string().nullable(),
  failure: z.string().nullable(),
  impact: z.looseObject({
    statements: z.array(z.looseObject({ kind: z.string(), count: z.number() })),
    outstandingUntil: z.string().nullable(),
    subordinates: z.number(),
    trustMarks: z.number(),
    delegations: z.number(),
    superiors: z.array(z.string()),
    pinnedBy: z.array(z.string()),
  }),
});

const transitions = {
  state: z.string(),
  allowedTransitions: z.array(z.string()),
  stateReason: z.string().nullable(),
  stateReasonCode: z.string().nullish(),
  suspendedUntil: z.string().nullish(),
  stateChangedAt: z.string(),
  version: z.number(),
  createdAt: z.string(),
};

/** Of a record after a transition; absent where a service answers with the record alone. */
export const transitioned = {
  seq: z.number().nullish(),
  affected: z
    .array(
      z.looseObject({
        kind: z.string(),
        id: z.string(),
        name: z.string(),
        stateBefore: z.string(),
        stateAfter: z.string(),
      }),
    )
    .default([]),
};

export type AffectedRecord = z.infer<typeof transitioned.affected>[number];

/** Of a domain in another script; null in ASCII. */
const internationalDomain = z
  .looseObject({ unicode: z.string(), scripts: z.array(z.string()), isMixed: z.boolean() })
  .nullable();

export const contactSchema = z.looseObject({
  id: z.string(),
  organisationId: z.string(),
  type: z.string(),
  email: z.string(),
  internationalDomain,
  name: z.string().nullable(),
  pgpFingerprint: z.string().nullable(),
  verifiedAt: z.string().nullable(),
  lastConfirmedAt: z.string().nullable(),
  version: z.number(),
  createdAt: z.string(),
});

export const organisationSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  legalName: z.string(),
  registration: z.looseObject({ number: z.string(), register: z.string(), country: z.string() }).nullable(),
  previousId: z.string().nullable(),
  parentId: z.string().nullable(),
  tags: z.array(z.string()),
  contacts: z.array(contactSchema),
  ...transitions,
});

/** As a list shows it. */
export const listedEntitySchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  organisationId: z.string(),
  previousId: z.string().nullable(),
  entityIdentifier: z.string(),
  internationalDomain,
  name: z.string().nullable(),
  mode: z.string(),
  environment: z.string(),
  onBehalfOf: z.string().nullable(),
  permissions: z.record(z.string(), z.boolean()).nullish(),
  /** Absent from services before it was told. */
  delegation: z.looseObject({ state: z.string() }).nullish(),
  enrolment: z.string(),
  entityTypes: z.array(z.string()),
  intermediate: z.boolean(),
  effectiveState: z.string(),
  /** Absent from services before there were any. */
  roles: z
    .array(z.looseObject({ role: z.string(), validFrom: z.string().nullable(), validTo: z.string().nullable() }))
    .optional(),
  jwks,
  metadata: jsonObject,
  metadataPolicy: jsonObject,
  constraints: jsonObject.nullable(),
  additionalClaims: jsonObject,
  crit: z.array(z.string()),
  statementLifetimeSeconds: z.number().nullable(),
  checks: z.array(
    z.looseObject({
      check: z.string(),
      outcome: z.string(),
      reason: z.string().optional(),
      detail: z.string(),
      at: z.string(),
    }),
  ),
  checksOutdated: z.boolean(),
  ...transitions,
});

export const entitySchema = listedEntitySchema.extend({
  evidence: jsonObject,
  findings: z.array(z.looseObject({ kind: z.string(), since: z.string(), detail: z.string() })),
});

export const entityKeysSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      kid: z.string(),
      state: z.string(),
      publicJwk: jwk,
      thumbprint: z.string(),
      source: z.string(),
      addedAt: z.string(),
      expiresAt: z.string().nullable(),
      removedAt: z.string().nullable(),
      removal: z.string().nullable(),
      compromisedAt: z.string().nullable(),
      compromiseReason: z.string().nullable(),
    }),
  ),
  proposals: z.array(
    z.looseObject({
      kid: z.string(),
      state: z.string(),
      publicJwk: jwk,
      thumbprint: z.string(),
      signedBy: z.string().nullable(),
      proposedAt: z.string(),
      decidedAt: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

export const entityRefreshSchema = z.looseObject({
  outcome: z.string(),
  detail: z.string().nullable(),
  proposed: z.array(z.string()),
  added: z.array(z.string()),
});

/** Absent from services before it was recorded. */
const seenKeys = z.looseObject({ jwks, at: z.string() }).nullish();

export const trustAnchorSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  entityIdentifier: z.string(),
  jwks,
  learned: seenKeys,
  lastAlarm: seenKeys,
  version: z.number(),
  createdAt: z.string(),
});

export const challengeSchema = z.looseObject({ challenge: z.string(), expiresAt: z.string() });

export const auditRowSchema = z.looseObject({
  seq: z.number(),
  ordinal: z.number(),
  at: z.string(),
  actor: z.looseObject({ kind: z.string(), name: z.string() }),
  action: z.string(),
  authorityId: z.string().nullable(),
  subjectKind: z.string(),
  subjectId: z.string(),
  before: jsonObject.nullish(),
  after: jsonObject.nullish(),
  reason: z.string().nullish(),
});

export const auditCheckpointSchema = z.looseObject({
  authorityId: z.string(),
  seq: z.number(),
  hash: z.string(),
  rows: z.number(),
  jwt: z.string(),
  createdAt: z.string(),
});

export const readinessSchema = z.looseObject({ status: z.string(), seq: z.number() });

/** For answers without a body. */
export const nothingSchema = z.undefined();

export type TokenRecord = z.infer<typeof tokenSchema>;
export type AuthorityRecord = z.infer<typeof authoritySchema>;
export type AuthorityKeyRecord = z.infer<typeof authorityKeySchema>;
export type RevokedKeyRecord = z.infer<typeof revokedKeySchema>;
export type InternationalDomain = z.infer<typeof internationalDomain>;
export type ContactRecord = z.infer<typeof contactSchema>;
export type OrganisationRecord = z.infer<typeof organisationSchema>;
export type ListedEntityRecord = z.infer<typeof listedEntitySchema>;
export type EntityKeysRecord = z.infer<typeof entityKeysSchema>;
export type EntityRecord = z.infer<typeof entitySchema>;
export type TrustAnchorRecord = z.infer<typeof trustAnchorSchema>;
export type AuditRecord = z.infer<typeof auditRowSchema>;
export type AuditCheckpointRecord = z.infer<typeof auditCheckpointSchema>;
