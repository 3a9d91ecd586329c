/** Trust Mark records as the API gives them: the members that the commands show or use, all others carried along. */
import { z } from 'zod';

const jsonObject = z.record(z.string(), z.unknown());

export const trustMarkTypeSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  trustMarkType: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  logoUri: z.string().nullable(),
  ref: z.string().nullable(),
  lifetimeSeconds: z.number().nullable(),
  additionalClaims: jsonObject,
  eligibility: z.looseObject({
    entityTypes: z.array(z.string()).optional(),
    trustMarkTypes: z.array(z.string()).optional(),
    roles: z.array(z.string()).optional(),
  }),
  approval: z.string(),
  ownership: z.looseObject({ owner: z.string() }).nullable(),
  delegationExpiresAt: z.string().nullable(),
  state: z.string(),
  version: z.number(),
});

export type TrustMarkTypeRecord = z.infer<typeof trustMarkTypeSchema>;

export const trustMarkSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  typeId: z.string(),
  trustMarkType: z.string(),
  subject: z.string(),
  entityId: z.string().nullable(),
  state: z.string(),
  stateReason: z.string().nullable(),
  allowedTransitions: z.array(z.string()),
  additionalClaims: jsonObject,
  expiresAt: z.string().nullable(),
  requestedBy: z.string(),
  version: z.number(),
});

export type TrustMarkRecord = z.infer<typeof trustMarkSchema>;

export const trustMarkDelegationSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  trustMarkType: z.string(),
  issuer: z.string(),
  ref: z.string().nullable(),
  expiresAt: z.string().nullable(),
  state: z.string(),
  jwt: z.string(),
  kid: z.string(),
  version: z.number(),
});

export type TrustMarkDelegationRecord = z.infer<typeof trustMarkDelegationSchema>;

export const heldTrustMarkSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  trustMarkType: z.string(),
  issuer: z.string(),
  expiresAt: z.string().nullable(),
  nextRefreshAt: z.string().nullable(),
  refreshProblem: z.string().nullable(),
  version: z.number(),
});

export type HeldTrustMarkRecord = z.infer<typeof heldTrustMarkSchema>;
